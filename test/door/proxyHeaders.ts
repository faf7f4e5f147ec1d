// What load balancers write first on a connection.
import { isIPv6 } from 'node:net'

export function textHeader(source: string): string {
  return isIPv6(source) ? `PROXY TCP6 ${source} ::1 56324 443\r\n` : `PROXY TCP4 ${source} 198.51.100.1 56324 443\r\n`
}

interface Odd {
  readonly version?: number
  readonly command?: number
  readonly kind?: number
  /** Behind the addresses. */
  readonly more?: Buffer
}

/** @param source an IPv6 one with `::` where its only zeros are */
export function binaryHeader(
  source: string,
  { version = 2, command = 1, kind, more = Buffer.alloc(0) }: Odd = {},
): Buffer {
  const address = isIPv6(source) ? ipv6(source) : Buffer.from(source.split('.').map(Number))
  const addresses = Buffer.concat([address, Buffer.alloc(address.length), Buffer.from([0xdc, 0x04, 0x01, 0xbb]), more])
  const head = Buffer.from([version * 16 + command, kind ?? (isIPv6(source) ? 0x21 : 0x11), 0, 0])
  head.writeUInt16BE(addresses.length, 2)
  return Buffer.concat([Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'), head, addresses])
}

function ipv6(address: string): Buffer {
  const [head = '', tail = ''] = address.split('::')
  const groups = (text: string) =>
    Buffer.from(
      text
        .split(':')
        .map((group) => group.padStart(4, '0'))
        .join(''),
      'hex',
    )
  const [first, last] = [groups(head), groups(tail)]
  return Buffer.concat([first, Buffer.alloc(16 - first.length - last.length), last])
}
