// The listener for operators: where it is, and who may ask.
// The danger it guards against: one that anybody on the network can give orders to.
import { isLoopback } from '../message/addresses.ts'
import type { AdminToken, CoreSettings } from '../model.ts'
import type { CheckedTop } from './core.ts'
import { type Page, refuse, wordsAt } from './page.ts'
import { below } from './pointer.ts'

const pointer = '/admin'
const tokensPointer = below(pointer, 'tokens')

/** @returns undefined after a mistake */
export function declareAdmin(page: Page): CoreSettings['admin'] | undefined {
  const admin = page.checked.at<CheckedTop['admin']>(pointer)
  if (!admin) return undefined
  const { host, port } = admin
  const tokens = admin.tokens.map((token, i) => tokenOf(page, token, below(tokensPointer, i)))
  const isGuarded = tokens.length > 0 || host === 'localhost' || isLoopback(host)
  if (!isGuarded)
    refuse(
      page,
      below(pointer, 'host'),
      `admin listens at ${wordsAt(page, below(pointer, 'host'))}, where others than this machine reach it, so it needs tokens; make one with: banyan admin token NAME --roles read,operate`,
    )
  const areApart = areAllApart(page, admin.tokens)
  const sound = tokens.filter((token) => token !== undefined)
  return isGuarded && areApart && sound.length === tokens.length ? { host, port, tokens: sound } : undefined
}

type CheckedToken = CheckedTop['admin']['tokens'][number]

function tokenOf(page: Page, { name, hash, roles, expires }: CheckedToken, at: string): AdminToken | undefined {
  const token = { name, sha256: hash.slice('sha256:'.length), roles }
  if (expires === undefined) return token
  const expiresAt = instantOf(expires)
  if (!Number.isNaN(expiresAt)) return { ...token, expiresAt }
  const pointer = below(at, 'expires')
  return refuse(
    page,
    pointer,
    `expires must be a day such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z, not ${wordsAt(page, pointer)}`,
  )
}

/** Of a day (midnight UTC) or a time with its zone; NaN when it is neither, or there is no such day. */
export function instantOf(words: string): number {
  const [, day = '', time] =
    /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/.exec(words) ?? []
  const midnight = Date.parse(`${day}T00:00Z`)
  // February 30th would be March 2nd.
  const isDay = !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(day)
  if (!isDay) return Number.NaN
  return time === undefined ? midnight : Date.parse(words)
}

/** Whoever asks with it is to have one name, and whoever has a name one line to be taken off by. */
function areAllApart(page: Page, tokens: readonly CheckedToken[]): boolean {
  const again = (key: 'name' | 'hash') =>
    tokens.flatMap((token, i) => (tokens.findIndex((first) => first[key] === token[key]) < i ? [i] : []))
  for (const i of again('name')) {
    const at = below(below(tokensPointer, i), 'name')
    refuse(page, at, `there is another token named ${wordsAt(page, at)}; name each one otherwise, e.g. alice-2027`)
  }
  for (const i of again('hash')) {
    const at = below(below(tokensPointer, i), 'hash')
    refuse(
      page,
      at,
      'there is another entry with this hash; a token has one name: make a new one for whoever shares it',
    )
  }
  return again('name').length + again('hash').length === 0
}
