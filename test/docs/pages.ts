// The pages that people read, and what stands in them: code, blocks, links.
// The danger it guards against: a page that a check passes by because nobody has listed it.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export const root = join(import.meta.dirname, '../..')

const foldersOfPages = ['.', 'docs', 'gateway', 'gateway/decisions']

export const pages: readonly string[] = foldersOfPages.flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
)

export const textOf = (page: string): string => readFileSync(join(root, page), 'utf8')

const fence = /^ *```(\w*)\n([\s\S]*?)^ *```$/gm

export function blocksOf(text: string, language: string): readonly string[] {
  return [...text.matchAll(fence)].flatMap(([, word, block = '']) => (word === language ? [block] : []))
}

/** What stands between two backticks; a line break in it is a space. */
export function spansOf(text: string): readonly string[] {
  return [...text.replace(fence, '').matchAll(/`([^`]+)`/g)].map(([, span = '']) => span.replace(/\s+/g, ' '))
}

/** Calls of the command, each from its name on: `['keys', 'rotate', 'ID']`. */
export function callsOf(text: string): readonly (readonly string[])[] {
  const lines = [...blocksOf(text, ''), ...blocksOf(text, 'sh')].flatMap((block) => block.split('\n'))
  return [...spansOf(text), ...lines]
    .map((code) => code.replace(/(^|\s)#.*/, ''))
    .flatMap((code) => [...code.matchAll(/(?:^|[|;$] *)(?:npx )?banyan ([a-z][^;#]*)/g)])
    .map(([, call = '']) =>
      call
        .replace(/\\?\|.*/, '')
        .trim()
        .split(/[\s[\]]+/),
    )
}

export interface Link {
  /** Beneath the root. */
  readonly path: string
  readonly anchor: string
}

/** Those within the repository. */
export function linksOf(page: string, text: string): readonly Link[] {
  return [...text.replace(fence, '').matchAll(/\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)/g)].map(
    ([, path = '', anchor = '']) => ({ path: path === '' ? page : join(dirname(page), path), anchor }),
  )
}

/** The anchors of its headings, as GitHub makes them. */
export function anchorsOf(text: string): readonly string[] {
  return [...text.replace(fence, '').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
