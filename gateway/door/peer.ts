// Whose a connection is: the address at its other end, or the one that a load balancer has said it is of.
// The danger it guards against: a load balancer that is taken for all of its clients.
import type { Socket } from 'node:net'
import { plainAddress } from '../message/addresses.ts'

const said = new WeakMap<Socket, string>()

export function peerOf(socket: Socket): string {
  return said.get(socket) ?? plainAddress(socket.remoteAddress ?? '')
}

export function sayPeer(socket: Socket, address: string): void {
  said.set(socket, address)
}

/** The same for the sockets that come of those connections when TLS is taken off: only both ends of a connection tell it from others. */
export function createPeersBehindTls() {
  const peers = new Map<string, string>()
  const nameOf = ({ remoteAddress, remotePort, localAddress }: Socket) =>
    `${remoteAddress} ${remotePort} ${localAddress}`
  return {
    remember(locked: Socket): void {
      const name = nameOf(locked)
      peers.set(name, peerOf(locked))
      locked.once('close', () => peers.delete(name))
    },
    recall(unlocked: Socket): void {
      const peer = peers.get(nameOf(unlocked))
      if (peer !== undefined) sayPeer(unlocked, peer)
    },
  }
}
