// What a load balancer that passes bytes on says first on each connection: whose it is (the PROXY protocol of HAProxy, 1 and 2).
// The danger it guards against: bytes that are taken for a client's word on the way to be taken for the load balancer's, or the other
// way round; so nothing is guessed: what does not begin as it must is malformed.
import { isIP, SocketAddress } from 'node:net'
import { plainAddress } from './addresses.ts'

export type ProxyVersion = 'v1' | 'v2'

export interface ProxyHeader {
  /** Of the client; undefined where the load balancer speaks for itself (a health check), or does not know. */
  readonly address: string | undefined
  /** How many bytes it is long; what follows is the client's. */
  readonly bytes: number
}

/** @returns `more` when it is not whole yet */
export function parseProxyHeader(version: ProxyVersion, bytes: Buffer): ProxyHeader | 'more' | 'malformed' {
  return version === 'v1' ? parseText(bytes) : parseBinary(bytes)
}

/** §2.1: "a 107-byte buffer is enough", with the line end. */
const mostTextBytes = 107
const textBegin = Buffer.from('PROXY ')

function parseText(bytes: Buffer): ProxyHeader | 'more' | 'malformed' {
  if (!beginsLike(bytes, textBegin)) return 'malformed'
  const end = bytes.subarray(0, mostTextBytes).indexOf('\r\n')
  if (end < 0) return bytes.length < mostTextBytes ? 'more' : 'malformed'
  const line = bytes.toString('latin1', 0, end)
  const length = end + 2
  // "The receiver must ignore anything presented before the CRLF" (§2.1).
  if (/^PROXY UNKNOWN( |$)/.test(line)) return { address: undefined, bytes: length }
  const [, family, source = '', target = '', ...ports] =
    /^PROXY TCP([46]) (\S+) (\S+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/.exec(line) ?? []
  const isSound = [source, target].every((address) => isIP(address) === Number(family))
  const arePorts = ports.every((port) => Number(port) <= 65_535)
  return isSound && arePorts ? { address: written(source), bytes: length } : 'malformed'
}

/** §2.2 */
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const fixedBytes = 16
/** Of the addresses behind it, by the byte that says of which kind they are; a client's comes first. */
const tcp4 = { kind: 0x11, bytes: 12 }
const tcp6 = { kind: 0x21, bytes: 36 }

function parseBinary(bytes: Buffer): ProxyHeader | 'more' | 'malformed' {
  if (!beginsLike(bytes, signature)) return 'malformed'
  if (bytes.length < fixedBytes) return 'more'
  const [versionAndCommand = 0, kind = 0] = bytes.subarray(12, 14)
  const isLocal = versionAndCommand === 0x20
  if (!isLocal && versionAndCommand !== 0x21) return 'malformed'
  const said = bytes.readUInt16BE(14)
  const length = fixedBytes + said
  if (bytes.length < length) return 'more'
  // Whatever else is behind the addresses (TLVs) is not asked for.
  if (isLocal) return { address: undefined, bytes: length }
  const form = [tcp4, tcp6].find((one) => one.kind === kind)
  // UNSPEC, datagrams, UNIX sockets: the receiver "should … use the real connection's" address.
  if (!form) return { address: undefined, bytes: length }
  if (said < form.bytes) return 'malformed'
  return { address: form === tcp4 ? ipv4At(bytes) : ipv6At(bytes), bytes: length }
}

function beginsLike(bytes: Buffer, begin: Buffer): boolean {
  const length = Math.min(bytes.length, begin.length)
  return bytes.subarray(0, length).equals(begin.subarray(0, length))
}

function ipv4At(bytes: Buffer): string {
  return bytes.subarray(fixedBytes, fixedBytes + 4).join('.')
}

function ipv6At(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(fixedBytes + 2 * i).toString(16))
  return written(groups.join(':'))
}

/** As Node writes the addresses of connections, so that one host has one name. */
function written(address: string): string {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  return plainAddress(new SocketAddress({ address, family }).address)
}
