// How a key of ours looks: `byn_<env>_<30 base62><6 base62 of a CRC32>`. The first 8 of the 30 are its public name, the other 22
// (131 bits) its secret. Secret scanners know it by its shape, and a slip of the pen shows without a look-up.
// The danger it guards against: a key that can be guessed because chance was bent to fit the alphabet.
import { crc32 } from 'node:zlib'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const bodyLength = 30
const nameLength = 8
const checkLength = 6
/** The largest multiple of 62 in a byte: what lies above it would make some characters likelier than others. */
const fairBytes = 248

const pattern = 'byn_([a-z0-9]{1,16})_([0-9A-Za-z]{36})'
const whole = new RegExp(`^${pattern}$`)
const within = new RegExp(pattern, 'g')

/** Of the environments that a key may be for: the middle part of it. */
export const envPattern = '^[a-z0-9]{1,16}$'

export interface ParsedKey {
  /** How the key begins, e.g. `byn_live_a1B2c3D4`: its public name, which is no secret. */
  readonly id: string
  readonly env: string
}

/** @param random gives so many bytes, each equally likely to be anything */
export function makeKey(env: string, random: (bytes: number) => Uint8Array): string {
  let body = ''
  while (body.length < bodyLength) {
    for (const byte of random(bodyLength)) {
      if (byte < fairBytes && body.length < bodyLength) body += alphabet[byte % 62]
    }
  }
  const text = `byn_${env}_${body}`
  return text + checkOf(text)
}

/** @returns undefined for what no gateway has issued, whoever is asked */
export function parseKey(text: string): ParsedKey | undefined {
  const [, env = '', rest = ''] = whole.exec(text) ?? []
  if (rest === '' || checkOf(text.slice(0, -checkLength)) !== text.slice(-checkLength)) return undefined
  return { id: `byn_${env}_${rest.slice(0, nameLength)}`, env }
}

/** Every key in a text, each once: a page of a wiki, a log, a commit. */
export function findKeys(text: string): readonly string[] {
  const found = [...text.matchAll(within)].map(([key]) => key)
  return [...new Set(found)].filter((key) => parseKey(key) !== undefined)
}

/** Whether it may be the name of a key; `findKeys` finds none in it. */
export function isKeyId(text: string): boolean {
  return /^byn_[a-z0-9]{1,16}_[0-9A-Za-z]{8}$/.test(text)
}

/** Over all that stands before it, so that a key of one environment is none of another. */
function checkOf(text: string): string {
  let left = crc32(text)
  let check = ''
  for (let i = 0; i < checkLength; i += 1) {
    check = alphabet[left % 62] + check
    left = Math.floor(left / 62)
  }
  return check
}
