// A client that writes bytes and keeps what comes back, for tests about the wire itself.
import { connect, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'

export interface Wire {
  readonly socket: Socket
  /** Everything received so far, latin1. */
  received(): string
  /** Resolves once what was received matches; rejects when the connection ends without it. */
  until(pattern: RegExp): Promise<string>
  /** Resolves with everything once the other side has closed, cleanly or not. */
  closed(): Promise<{ received: string; isClean: boolean }>
}

export function openWire(port: number, bytes = ''): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      if (bytes) socket.write(bytes, 'latin1')
      resolve(wireOf(socket))
    })
  })
}

/** The same over TLS, for the host that is named, if any; whoever answers is believed. */
export function openTlsWire(
  port: number,
  servername: string,
  bytes = '',
): Promise<Wire & { readonly socket: TLSSocket }> {
  return new Promise((resolve, reject) => {
    const options = {
      port,
      host: '127.0.0.1',
      servername,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2', 'http/1.1'],
    }
    const socket = connectTls(options, () => {
      socket.off('error', reject)
      if (bytes) socket.write(bytes, 'latin1')
      resolve({ ...wireOf(socket), socket })
    })
    socket.once('error', reject)
  })
}

/** Writes a request and resolves with everything up to the close. */
export async function exchangeBytes(port: number, bytes: string): Promise<{ received: string; isClean: boolean }> {
  const wire = await openWire(port, bytes)
  return wire.closed()
}

function wireOf(socket: Socket): Wire {
  let received = ''
  let isClean: boolean | undefined
  let listeners: (() => void)[] = []
  const changed = () => {
    const told = listeners
    listeners = []
    for (const listener of told) listener()
  }
  let hasEnded = false
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1')
    changed()
  })
  socket.on('end', () => {
    hasEnded = true
  })
  socket.on('error', () => {})
  socket.on('close', (hadError) => {
    isClean = hasEnded && !hadError
    changed()
  })
  const change = () => new Promise<void>((resolve) => listeners.push(resolve))
  return {
    socket,
    received: () => received,
    async until(pattern) {
      while (!pattern.test(received)) {
        if (isClean !== undefined) throw new Error(`the connection ended; received ${JSON.stringify(received)}`)
        await change()
      }
      return received
    },
    async closed() {
      while (isClean === undefined) await change()
      return { received, isClean }
    },
  }
}
