// A body out of its content codings (RFC 9110 §8.4), at most 256 KiB of it.
// The danger it guards against: a small body that unpacks to gigabytes. Unpacking stops at the bound, and zstd takes no window
// beyond the 8 MiB of RFC 9659 §3.
import { brotliDecompressSync, constants, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib'

export const mostBodyBytes = 256 * 1024
const mostCodings = 3
const bounded = { maxOutputLength: mostBodyBytes }

/** `broken`: in a coding that nobody knows, or not in the one it claims. */
export type Decoded = Uint8Array | 'tooLarge' | 'broken'

/** @param contentEncoding the field's value, `` for none; codings in the order in which they were applied */
export function decodeBody(body: Uint8Array, contentEncoding: string): Decoded {
  const codings = contentEncoding
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity')
  if (codings.length > mostCodings) return 'broken'
  let decoded = body
  for (const coding of codings.reverse()) {
    // An answer to HEAD names a coding and has nothing in it.
    if (decoded.length === 0) return decoded
    const unpacked = unpack(decoded, coding)
    if (typeof unpacked === 'string') return unpacked
    decoded = unpacked
  }
  return decoded.length > mostBodyBytes ? 'tooLarge' : decoded
}

function unpack(body: Uint8Array, coding: string): Decoded {
  try {
    return unpackers.get(coding)?.(body) ?? 'broken'
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_BUFFER_TOO_LARGE' ? 'tooLarge' : 'broken'
  }
}

const unpackers: ReadonlyMap<string, (body: Uint8Array) => Uint8Array> = new Map([
  ['gzip', (body: Uint8Array) => gunzipSync(body, bounded)],
  ['x-gzip', (body: Uint8Array) => gunzipSync(body, bounded)],
  // RFC 9110 §8.4.1.2: zlib's format, but some send the bare stream.
  ['deflate', (body: Uint8Array) => (isZlib(body) ? inflateSync(body, bounded) : inflateRawSync(body, bounded))],
  ['br', (body: Uint8Array) => brotliDecompressSync(body, bounded)],
  [
    'zstd',
    (body: Uint8Array) => zstdDecompressSync(body, { ...bounded, params: { [constants.ZSTD_d_windowLogMax]: 23 } }),
  ],
])

/** RFC 1950 §2.2: the method is 8, and the two bytes are a multiple of 31. */
function isZlib(body: Uint8Array): boolean {
  const [method = 0, flags = 0] = body
  return (method & 0x0f) === 8 && ((method << 8) | flags) % 31 === 0
}
