// By what answers in stock are made void: their URI, path and Route, and the names that their origin or the file gives them.
// Only digests lie anywhere: a query may hold a secret, and a tag somebody's name.
// The danger it guards against: two things under one tag, so that a purge of one leaves the other, or takes it along.
import { hash } from 'node:crypto'
import type { Fields } from '../model.ts'

/** A letter for what kind of thing it is, and a digest of which. */
export type Tag = string

/** What all bear. */
export const everything: Tag = 'all'

export const uriTag = (uri: string): Tag => tagOf('u', uri)
/** @param path the normalised copy: of all hosts, with any query */
export const pathTag = (path: string): Tag => tagOf('p', path)
export const routeTag = (route: string): Tag => tagOf('r', route)
export const namedTag = (name: string): Tag => tagOf('t', name)

/** Which ones those are of an answer is known only when it has come. */
export function isNamed(tag: Tag): boolean {
  return tag.startsWith('t')
}

/** 132 bits: nobody finds two names for one. */
function tagOf(kind: string, text: string): Tag {
  return kind + hash('sha256', text, 'base64url').slice(0, 22)
}

/** More names than these are no help to whoever purges: such an answer is not stored. */
export const mostNames = 256

/** The names that an origin gives its answer: `Cache-Tag: a, b` and `Surrogate-Key: a b`, each once. */
export function namesOfAnswer(fields: Fields): readonly string[] {
  const lists = [...fields.all('cache-tag').map(byComma), ...fields.all('surrogate-key').map(bySpace)]
  return lists.length === 0 ? none : [...new Set(lists.flat())].filter((name) => name !== '')
}

const none: readonly string[] = []
const byComma = (text: string) => text.split(',').map((name) => name.trim())
const bySpace = (text: string) => text.split(/[\t ]+/)
