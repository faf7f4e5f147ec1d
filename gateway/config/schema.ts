// The field types that every section of routes.yaml shares, and how their text becomes a number.
// The danger it guards against: a unit that is guessed. `30` is no duration and `64K` is no size here.
import { Type } from 'typebox'

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** What a field type lets its user say about one key. */
interface About<D> {
  /** What the key is for: shown by editors and in the reference. */
  readonly description: string
  readonly default?: D
}

/** A whole number and its unit. Its `title` completes the sentence "… must be …" of a Problem. */
export function Duration(about: About<string>) {
  return Type.String({
    title: 'a duration such as 250ms, 2s, 5m, 2h or 90d',
    pattern: '^[0-9]{1,9}(ms|s|m|h|d)$',
    ...about,
  })
}

/** A whole number of bytes. */
export function Size(about: About<string>) {
  return Type.String({
    title: 'a size such as 512B, 64KiB or 10MiB',
    pattern: '^[0-9]{1,9}(B|KiB|MiB)$',
    ...about,
  })
}

const unitBytes = { B: 1, KiB: 1_024, MiB: 1_048_576 } as const

/** @param text checked by the schema of Size, e.g. `64KiB` */
export function sizeBytes(text: string): number {
  const [, amount, unit] = /^([0-9]+)(B|KiB|MiB)$/.exec(text) ?? []
  return Number(amount) * unitBytes[unit as keyof typeof unitBytes]
}

/** A port to listen on. */
export function Port(about: About<number>) {
  return Type.Integer({ title: 'a port number from 0 to 65535', minimum: 0, maximum: 65_535, ...about })
}

/** An address to listen on. */
export function ListenHost(about: About<string>) {
  return Type.String({
    title: 'an address such as 127.0.0.1, 0.0.0.0 or "::"',
    pattern: '^[A-Za-z0-9.:_-]+$',
    ...about,
  })
}

/** A slug: it goes into metrics, logs and URLs as it is. */
export function Name(about: About<string>) {
  return Type.String({ title: nameTitle, pattern: namePattern, ...about })
}

export const namePattern = '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'
export const nameTitle = 'a name of letters, digits, ".", "_" and "-" (at most 63)'

/** Text that is not empty and has no control characters. */
export function Text(about: About<string> & { readonly title: string }) {
  return Type.String({ pattern: '^[^\\u0000-\\u001f\\u007f]+$', ...about })
}

/** @param text checked by the schema of Duration, e.g. `250ms` */
export function durationMs(text: string): number {
  const [, amount, unit] = /^([0-9]+)(ms|s|m|h|d)$/.exec(text) ?? []
  return Number(amount) * unitMs[unit as keyof typeof unitMs]
}

/** A percentage to a hundredth of a percent, so that it is a whole number of ten-thousandths. */
export function Share(about: About<string>) {
  return Type.String({
    title: 'a share such as 10% or 0.25%, from 0% to 100%',
    pattern: '^(100(\\.0{1,2})?|[0-9]{1,2}(\\.[0-9]{1,2})?)%$',
    ...about,
  })
}

/** @param text checked by the schema of Share, e.g. `0.25%`. @returns 0–10 000 */
export function basisPoints(text: string): number {
  return Math.round(Number.parseFloat(text) * 100)
}

const unitsPerSecond = { s: 1, min: 1 / 60, h: 1 / 3_600, d: 1 / 86_400 } as const

/** A number per unit of time. */
export function Rate(about: About<string>) {
  return Type.String({
    title: 'a rate such as 20/s, 100/min, 1000/h or 5000/d',
    pattern: '^[1-9][0-9]{0,8}/(s|min|h|d)$',
    ...about,
  })
}

/** @param text checked by the schema of Rate, e.g. `100/min` */
export function ratePerSecond(text: string): number {
  const [amount, unit] = text.split('/')
  return Number(amount) * unitsPerSecond[unit as keyof typeof unitsPerSecond]
}
