// Joins a client's connection and an upstream's once both have left HTTP: bytes either way, with back-pressure and half-close.
// The danger it guards against: one leg that lives on after the other has gone.
import type { Duplex } from 'node:stream'
import type { Answer, Clock } from '../model.ts'

/** Writes the 101 as the upstream gave it, then copies until both ends are done. */
export function splice(answer: Answer, client: Duplex, ports: { clock: Clock }): void {
  const { tunnel } = answer
  if (!tunnel) throw new Error('an answer without a tunnel cannot be spliced')
  let bodyBytes = 0
  const settle = (how: 'complete' | 'clientGone' | 'upstreamBroke') =>
    answer.settle({ how, bodyBytes, at: ports.clock.now() })
  client.write(headOf(answer), 'latin1')
  tunnel.on('data', (chunk: Buffer) => {
    bodyBytes += chunk.length
  })
  copy(tunnel, client, () => settle('upstreamBroke'))
  copy(client, tunnel, () => settle('clientGone'))
  tunnel.on('close', () => {
    settle('complete')
    client.destroy()
  })
  client.on('close', () => {
    settle(client.readableEnded ? 'complete' : 'clientGone')
    tunnel.destroy()
  })
}

function copy(from: Duplex, to: Duplex, broke: () => void): void {
  from.on('error', broke)
  // pipe() carries back-pressure and passes the end of one direction on while the other goes on.
  from.pipe(to)
}

function headOf({ status, reason, fields }: Answer): string {
  const lines = [`HTTP/1.1 ${status} ${reason}`]
  for (let i = 0; i < fields.raw.length; i += 2) lines.push(`${fields.raw[i]}: ${fields.raw[i + 1]}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}
