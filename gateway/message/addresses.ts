// Who sent a request, as far as it may be believed.
// The danger it guards against: a client that writes its own address into X-Forwarded-For and is taken at its word.
import { BlockList, isIP } from 'node:net'
import type { Fields } from '../model.ts'

export interface Trust {
  isTrusted(address: string): boolean
  /** The client's address: the last one of X-Forwarded-For that no trusted proxy wrote of another trusted proxy. */
  clientOf(peer: string, fields: Fields): string
}

/** @param blocks addresses and CIDR blocks, already checked (config). */
export function createTrust(blocks: readonly string[]): Trust {
  const list = blockListOf(blocks)
  const isTrusted = (address: string) => blocks.length > 0 && contains(list, address)
  return {
    isTrusted,
    clientOf(peer, fields) {
      if (!isTrusted(peer)) return peer
      const hops = fields.all('x-forwarded-for').flatMap((value) => value.split(','))
      let client = peer
      for (const hop of hops.reverse()) {
        const address = addressOfHop(hop.trim())
        // What is no address was written by nobody we trust: the last believable hop is the client.
        if (!address) return client
        client = address
        if (!isTrusted(address)) return client
      }
      return client
    },
  }
}

/** Whether every one of these private ranges' addresses is typical of an own load balancer (RFC 1918, RFC 4193, loopback). */
export function isPrivate(address: string): boolean {
  return contains(privateBlocks, address)
}

/** Whether only this machine reaches it. */
export function isLoopback(address: string): boolean {
  return contains(loopbackBlocks, plainAddress(address))
}

/** IPv4-mapped IPv6 addresses as IPv4, so that one host has one name. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

/** What stands for a client: an IPv6 one changes its address within its /64 at will (RFC 8981). Of the ways to write one (RFC 4291 §2.2) all are one. */
export function networkOf(address: string): string {
  const plain = plainAddress(address.toLowerCase())
  if (!plain.includes(':')) return plain
  const [head = '', tail] = plain.split('%', 1)[0]?.split('::') ?? []
  const groups = head === '' ? [] : head.split(':')
  const rest = tail ? tail.split(':') : []
  // An IPv4 address at its end stands for two groups.
  const length = groups.length + rest.length + (tail?.includes('.') ? 1 : 0)
  const gap = tail === undefined ? [] : Array<string>(Math.max(0, 8 - length)).fill('0')
  return [...groups, ...gap, ...rest]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')
}

const loopbackBlocks = blockListOf(['127.0.0.0/8', '::1'])
const privateBlocks = blockListOf(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '127.0.0.0/8', '::1', 'fc00::/7'])

function blockListOf(blocks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const block of blocks) {
    const [address = '', bits] = block.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return list
}

function contains(list: BlockList, address: string): boolean {
  const family = isIP(address)
  return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

/** `1.2.3.4`, `1.2.3.4:5678`, `[::1]:5678` and `::1`, as load balancers write them. */
function addressOfHop(hop: string): string | undefined {
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop
  return isIP(bare) ? plainAddress(bare) : undefined
}
