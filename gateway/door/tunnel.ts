// Joins a client's connection and an upstream's once both have left HTTP: bytes either way, with back-pressure and half-close.
// The dangers it guards against: one leg that lives on after the other has gone, and a WebSocket that a drain cuts without a word.
import type { Duplex } from 'node:stream'
import { linesOf } from '../message/fields.ts'
import { FrameFollower, goingAway } from '../message/frames.ts'
import type { Answer, Clock, EndHow } from '../model.ts'

export interface Tunnel {
  /** Says goodbye where the protocol has a word for it (WebSocket: Close 1001), at the end of the frame under way. */
  leave(): void
}

/** Writes the 101 as the upstream gave it, then copies until both ends are done. */
export function joinTunnel(answer: Answer, client: Duplex, { clock }: { clock: Clock }): Tunnel {
  const { tunnel: upstream } = answer
  if (!upstream) throw new Error('an answer without a tunnel cannot be joined')
  let bodyBytes = 0
  const towardsClient = new Leg(upstream, client, isWebSocket(answer) ? new FrameFollower() : undefined)
  // What comes after our goodbye is nobody's failure, however the two go.
  const settle = (how: EndHow) =>
    answer.settle({ how: towardsClient.isLeft ? 'complete' : how, bodyBytes, at: clock.now() })
  client.write(headOf(answer), 'latin1')
  upstream.on('data', (chunk: Buffer) => {
    bodyBytes += chunk.length
    towardsClient.carry(chunk)
  })
  // It waits paused, so that no byte is lost before somebody reads.
  upstream.resume()
  upstream.on('end', () => client.end())
  client.on('drain', () => upstream.resume())
  // pipe() carries back-pressure and passes the end of one direction on while the other goes on.
  client.pipe(upstream)
  upstream.on('error', () => settle('upstreamBroke'))
  client.on('error', () => settle('clientGone'))
  upstream.on('close', () => {
    settle('complete')
    endAfterLastByte(client)
  })
  client.on('close', () => {
    settle(client.readableEnded ? 'complete' : 'clientGone')
    upstream.destroy()
  })
  const leave = () => towardsClient.leave()
  answer.onLeave?.(leave)
  return { leave }
}

/** The direction from the upstream to the client, which a Close of ours may end. */
class Leg {
  readonly #from: Duplex
  readonly #to: Duplex
  readonly #frames: FrameFollower | undefined
  #state: 'open' | 'leaving' | 'left' = 'open'

  constructor(from: Duplex, to: Duplex, frames: FrameFollower | undefined) {
    this.#from = from
    this.#to = to
    this.#frames = frames
  }

  /** Whether we have said goodbye. */
  get isLeft(): boolean {
    return this.#state === 'left'
  }

  carry(chunk: Buffer): void {
    // What comes after our Close is for nobody (RFC 6455 §5.5.1); it is read, so that the upstream can end.
    if (this.#state === 'left') return
    const boundary = this.#frames?.follow(chunk) ?? -1
    const isLast = this.#state === 'leaving' && boundary >= 0
    if (!this.#to.write(isLast ? chunk.subarray(0, boundary) : chunk)) this.#from.pause()
    if (isLast) this.#sayGoodbye()
  }

  leave(): void {
    if (!this.#frames || this.#state !== 'open') return
    if (this.#frames.isAtBoundary) this.#sayGoodbye()
    else this.#state = 'leaving'
  }

  #sayGoodbye(): void {
    this.#state = 'left'
    this.#to.write(goingAway)
  }
}

function isWebSocket({ fields }: Answer): boolean {
  return fields.get('upgrade')?.toLowerCase() === 'websocket'
}

/** What the upstream said last still reaches the client. */
function endAfterLastByte(client: Duplex): void {
  if (client.writableLength === 0) client.destroy()
  else client.end(() => client.destroy())
}

function headOf({ status, reason, fields }: Answer): string {
  return `HTTP/1.1 ${status} ${reason}\r\n${linesOf(fields)}\r\n`
}
