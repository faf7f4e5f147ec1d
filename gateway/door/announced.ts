// Connections that a load balancer announces (the PROXY protocol): what it says is read off before anybody reads the client.
// The danger it guards against: anybody who says that he is somebody else. Only a trusted proxy is listened to, and where the file
// asks for the announcement nobody comes in without one.
import type { Socket } from 'node:net'
import type { Trust } from '../message/addresses.ts'
import { type ProxyVersion, parseProxyHeader } from '../message/proxyHeader.ts'
import type { DoorPorts } from './door.ts'
import { peerOf, sayPeer } from './peer.ts'

export interface Announcing extends Pick<DoorPorts, 'headTimeoutMs' | 'refused'> {
  readonly version: ProxyVersion
  readonly trust: Pick<Trust, 'isTrusted'>
  /** It is paused, and nothing of the client's has been read yet. */
  taken(socket: Socket): void
}

export function readAnnouncement(socket: Socket, { version, trust, taken, ...ports }: Announcing): void {
  let bytes: Buffer = Buffer.alloc(0)
  const timer = setTimeout(giveUp, ports.headTimeoutMs)
  socket.on('data', onData).on('end', onEnd).on('error', onEnd).on('close', leave)
  if (!trust.isTrusted(peerOf(socket))) giveUp()

  function giveUp(): void {
    leave()
    ports.refused('proxyHeaderMissing')
    socket.destroy()
  }

  /** A check whether anybody listens says nothing, and has done nothing wrong. */
  function onEnd(): void {
    if (bytes.length > 0) giveUp()
    else {
      leave()
      socket.destroy()
    }
  }

  function onData(chunk: Buffer): void {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
    const header = parseProxyHeader(version, bytes)
    if (header === 'more') return
    if (header === 'malformed') {
      giveUp()
      return
    }
    leave()
    sayPeer(socket, header.address)
    socket.pause()
    if (bytes.length > header.bytes) socket.unshift(bytes.subarray(header.bytes))
    taken(socket)
  }

  function leave(): void {
    clearTimeout(timer)
    socket.off('data', onData).off('end', onEnd).off('error', onEnd).off('close', leave)
  }
}
