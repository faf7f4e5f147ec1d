// Whose a connection is: the address at its other end, or the one that a load balancer has said it is of.
// The danger it guards against: a load balancer that is taken for all of its clients.
import type { Socket } from 'node:net'
import { plainAddress } from '../message/addresses.ts'

/** Undefined: that it is not known. */
const said = new WeakMap<Socket, string | undefined>()

export function peerOf(socket: Socket): string {
  return said.get(socket) ?? plainAddress(socket.remoteAddress ?? '')
}

/** Whether the load balancer that announced it does not know whose it is: nobody vouches for what it says of others then. */
export function isAnonymous(socket: Socket): boolean {
  return said.has(socket) && said.get(socket) === undefined
}

export function sayPeer(socket: Socket, address: string | undefined): void {
  said.set(socket, address)
}

/** The same for the sockets that come of those connections when TLS is taken off: only both ends of a connection tell it from others. */
export function createPeersBehindTls() {
  const peers = new Map<string, string | undefined>()
  const nameOf = ({ remoteAddress, remotePort, localAddress }: Socket) =>
    `${remoteAddress} ${remotePort} ${localAddress}`
  return {
    remember(locked: Socket): void {
      if (!said.has(locked)) return
      const name = nameOf(locked)
      peers.set(name, said.get(locked))
      locked.once('close', () => peers.delete(name))
    },
    recall(unlocked: Socket): void {
      const name = nameOf(unlocked)
      if (peers.has(name)) sayPeer(unlocked, peers.get(name))
    },
  }
}
