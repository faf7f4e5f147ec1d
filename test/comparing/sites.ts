// Generated sites: what an old application and its candidate answer to the same requests, with all the noise that real ones have,
// and at most one regression. Every answer is made of a seed, so that a failure can be had again.
import fc from 'fast-check'

/** Draws from [0, 1). */
export type Draw = () => number

/** mulberry32. */
export function drawsOf(seed: number): Draw {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

type Stable = 'text' | 'count' | 'price' | 'flag' | 'bigId'
type Noisy = 'timestamp' | 'uuid' | 'hex' | 'tookMs' | 'flapping' | 'sometimes'
export type Member = Stable | Noisy

/** `reordered`: the side that answers gives its elements in any order. */
export interface Site {
  readonly members: readonly Member[]
  readonly list: { readonly members: readonly Member[]; readonly isReordered: boolean; readonly isFixed: boolean }
  readonly tags: { readonly isReordered: boolean }
  readonly seed: number
}

const stable = fc.constantFrom<Stable>('text', 'count', 'price', 'flag', 'bigId')
const noisy = fc.constantFrom<Noisy>('timestamp', 'uuid', 'hex', 'tookMs', 'flapping', 'sometimes')
const members = fc
  .tuple(fc.array(stable, { minLength: 2, maxLength: 4 }), fc.array(noisy, { maxLength: 4 }))
  .map(([ours, theirs]): readonly Member[] => [...ours, ...theirs])

export const sites = fc.record<Site>({
  members,
  list: fc.record({ members, isReordered: fc.boolean(), isFixed: fc.boolean() }),
  tags: fc.record({ isReordered: fc.boolean() }),
  seed: fc.integer(),
})

export type RegressionKind = 'value' | 'missing' | 'type' | 'length' | 'extra'

export interface Regression {
  readonly kind: RegressionKind
  readonly isInList: boolean
  readonly isOfStable: boolean
  /** Share of the requests that meet it. */
  readonly share: number
}

export const regressions: fc.Arbitrary<Regression> = fc.record({
  kind: fc.constantFrom<RegressionKind>('value', 'missing', 'type', 'length', 'extra'),
  isInList: fc.boolean(),
  isOfStable: fc.boolean(),
  share: fc.constantFrom(1, 0.5, 0.25),
})

type Entry = Record<string, unknown>

/** What the request asks for (the same for both sides) comes of `content`, noise of `noise`. */
function memberOf(member: Member, content: Draw, noise: Draw): unknown {
  const asked = content()
  if (member === 'text') return `word ${Math.floor(asked * 1e6).toString(36)}`
  if (member === 'count') return Math.floor(asked * 50)
  if (member === 'flag') return asked < 0.5
  if (member === 'bigId') return Math.floor(asked * 1e15)
  if (member === 'price') return withRoundingNoise(Math.floor(asked * 1e5) / 100, noise)
  if (member === 'timestamp') return new Date(1.7e12 + noise() * 1e10).toISOString()
  if (member === 'uuid')
    return `${hex(noise, 8)}-${hex(noise, 4)}-4${hex(noise, 3)}-a${hex(noise, 3)}-${hex(noise, 12)}`
  if (member === 'hex') return hex(noise, 32)
  if (member === 'tookMs') return Math.floor(noise() * 40)
  return noise() < 0.3 ? 'warm' : 'cold'
}

/** 19.99 as one sum gives it, or as another does. */
const withRoundingNoise = (value: number, noise: Draw) => (noise() < 0.5 ? value : value / 3 + value / 3 + value / 3)

const hex = (noise: Draw, digits: number) =>
  Array.from({ length: digits }, () => Math.floor(noise() * 16).toString(16)).join('')

function entryOf(members: readonly Member[], content: Draw, noise: Draw): Entry {
  const named = members.map((member, i) => [`${member}_${i}`, memberOf(member, content, noise)] as const)
  // A member that is there only at times is noise by its presence.
  return Object.fromEntries(named.filter(([name]) => !name.startsWith('sometimes') || noise() < 0.5))
}

function shuffle<T>(elements: readonly T[], noise: Draw): readonly T[] {
  return elements
    .map((element) => ({ element, at: noise() }))
    .sort((a, b) => a.at - b.at)
    .map(({ element }) => element)
}

/** One answer to the request number `request`. @param noise the draws of the side that answers */
export function answerOf(site: Site, request: number, noise: Draw): Entry {
  const content = drawsOf(site.seed ^ Math.imul(request + 1, 0x9e3779b1))
  const { list, tags } = site
  const count = list.isFixed ? 5 : 2 + Math.floor(content() * 6)
  const items = Array.from({ length: count }, (_, i) => ({ id: i * 7 + 1, ...entryOf(list.members, content, noise) }))
  const words = Array.from({ length: 4 }, (_, i) => `tag${i}${Math.floor(content() * 100).toString(36)}`)
  return {
    ...entryOf(site.members, content, noise),
    items: list.isReordered ? shuffle(items, noise) : items,
    tags: tags.isReordered ? shuffle(words, noise) : words,
  }
}

/** The answer with the regression in it. */
export function regress(answer: Entry, site: Site, regression: Regression): Entry {
  if (regression.kind === 'length') {
    const key = regression.isInList ? 'items' : 'tags'
    return { ...answer, [key]: (answer[key] as unknown[]).slice(1) }
  }
  const name = memberHit(site, regression)
  if (!regression.isInList) return spoil(answer, name, regression)
  return { ...answer, items: (answer.items as Entry[]).map((item) => spoil(item, name, regression)) }
}

/** Where it is to be found. */
export function pathHit(site: Site, regression: Regression): string {
  const { kind, isInList } = regression
  if (kind === 'length') return isInList ? '$.items' : '$.tags'
  const name = kind === 'extra' ? 'leaked' : memberHit(site, regression)
  return isInList ? `$.items[*].${name}` : `$.${name}`
}

/** A new value of what has a new value each time is no regression that anybody could see; a missing one, or another type, is. */
function memberHit(site: Site, { kind, isInList, isOfStable }: Regression): string {
  const all = isInList ? site.list.members : site.members
  const names = all.map((member, i) => `${member}_${i}`).filter((name) => !name.startsWith('sometimes'))
  const noisyNames = names.filter((name) => /^(timestamp|uuid|hex|tookMs|flapping)/.test(name))
  const first = names[0] as string
  return isOfStable || kind === 'value' ? first : (noisyNames[0] ?? first)
}

function spoil(entry: Entry, name: string, { kind }: Regression): Entry {
  if (kind === 'extra') return { ...entry, leaked: 1 }
  if (kind === 'missing') return Object.fromEntries(Object.entries(entry).filter(([key]) => key !== name))
  const value = entry[name]
  if (kind === 'type') return { ...entry, [name]: typeof value === 'number' ? String(value) : 7 }
  return { ...entry, [name]: changed(value) }
}

function changed(value: unknown): unknown {
  if (typeof value === 'boolean') return !value
  return typeof value === 'number' ? value + 1 : `${value}x`
}
