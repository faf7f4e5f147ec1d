// One client connection of the fast door: heads in, answers out, one request at a time and in order (RFC 9112 §9.3).
// The dangers it guards against: a byte of one request in another, and a connection kept after a byte that nobody can place.
import type { Socket } from 'node:net'
import type { FailureCode } from '../errors.ts'
import { abandon } from '../message/answer.ts'
import type { Answer, ClientConnection } from '../model.ts'
import { type Writing, writeAnswer, writeInterim } from './answerBytes.ts'
import type { DoorPorts } from './door.ts'
import { linger } from './linger.ts'
import { isAnonymous, peerOf } from './peer.ts'
import { readFrom } from './reading.ts'
import { isClientsFault, refuse } from './refuse.ts'
import type { RequestHead } from './requestHead.ts'
import { Unread } from './unread.ts'
import { Visit } from './visit.ts'

/** Takes over a connection at a request boundary, with these bytes unread. */
type HandOver = (socket: Socket, bytes: Buffer) => void

/** What may wait behind the request under way before the client is read no further. */
const mostPipelinedBytes = 64 * 1024

export class FastConnection implements ClientConnection, Writing {
  readonly socket: Socket
  readonly #ports: DoorPorts
  readonly #giveAway: HandOver
  readonly #peer: string
  readonly #isAnonymous: boolean
  readonly #tls: boolean
  readonly #unread = new Unread()
  readonly #stopReading: () => void
  #visit: Visit | undefined
  /** Since when nothing is under way, in milliseconds of the clock. */
  idleSince: number
  /** Since when the rest of a head is waited for. */
  partialSince: number | undefined
  #isEnding = false
  /** Whether the connection ends with the answer under way. */
  #isLast = false

  constructor(socket: Socket, ports: DoorPorts, handOver: HandOver) {
    this.socket = socket
    this.#ports = ports
    this.#giveAway = handOver
    this.#peer = peerOf(socket)
    this.#isAnonymous = isAnonymous(socket)
    this.#tls = 'encrypted' in socket
    this.idleSince = ports.clock.now()
    this.#stopReading = readFrom(socket, this.#onData)
    socket.on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onClose)
  }

  onClose(listener: () => void): void {
    this.socket.once('close', listener)
  }

  /** Owes no answer, and nothing of the next request is there. */
  get isIdle(): boolean {
    return (this.#visit?.isReadOff ?? true) && this.#unread.length === 0 && !this.#isEnding
  }

  /** Says why, and closes; nothing that comes after is read. */
  refuse(code: FailureCode): void {
    this.#isEnding = true
    this.partialSince = undefined
    this.#ports.refused(code)
    refuse(this.socket, code, this.#ports.clock.now)
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isEnding) return
    const visit = this.#visit
    if (visit && !visit.isWhole) {
      this.#feed(visit, chunk)
      return
    }
    this.#unread.add(chunk)
    if (!visit) this.#readHead()
    else if (this.#unread.length > mostPipelinedBytes) this.socket.pause()
  }

  #readHead(): void {
    const head = this.#unread.takeHead()
    if (head === 'foreign') this.#handOver()
    else if (head !== 'more') this.#begin(head)
    else this.partialSince ??= this.#ports.clock.now()
  }

  #handOver(): void {
    this.#isEnding = true
    this.#stopReading()
    this.socket.off('end', this.#onEnd).off('error', this.#onError).off('close', this.#onClose)
    this.#giveAway(this.socket, this.#unread.takeAll())
  }

  #begin(head: RequestHead): void {
    this.partialSince = undefined
    const visit = new Visit(head, this.socket)
    this.#visit = visit
    if (!visit.isWhole) this.#feed(visit, this.#unread.takeAll())
    if (this.#isEnding) return
    const { method, target, fields } = head
    void this.#ports
      .journey({
        method,
        target,
        fields,
        body: visit.open(),
        trailers: visit.trailers,
        peer: this.#peer,
        isAnonymous: this.#isAnonymous,
        tls: this.#tls,
        connection: this,
        onGone: (listener) => visit.onGone(listener),
        inform: (status, fields) => {
          if (this.#visit === visit && !visit.answer) writeInterim(status, fields, this.socket)
        },
      })
      .then((answer) => this.#answer(visit, answer))
  }

  #feed(visit: Visit, bytes: Buffer): void {
    const rest = visit.feed(bytes)
    if (rest === undefined) {
      this.#breakOff(visit)
      return
    }
    if (rest.length > 0) this.#unread.add(rest)
    if (visit.isWhole && visit.isReadOff) this.#next()
  }

  /** The request's body is malformed: what follows it on the connection nobody can place (RFC 9112 §11.2). */
  #breakOff(visit: Visit): void {
    this.#visit = undefined
    visit.leave(this.#ports.clock.now)
    if (visit.answer) this.socket.destroy()
    else this.refuse('requestBodyBroken')
  }

  #answer(visit: Visit, answer: Answer): void {
    const { clock, isDraining } = this.#ports
    if (this.socket.destroyed) visit.leave(clock.now)
    if (this.#visit !== visit || visit.isGone) {
      abandon(answer, clock.now)
      return
    }
    visit.answer = answer
    this.#isLast = visit.head.isLast || isDraining() || isClientsFault(answer)
    writeAnswer(answer, { method: visit.head.method, isLast: this.#isLast }, this.socket, this)
  }

  /** The answer under way is with the system. */
  done(bodyBytes: number): void {
    const visit = this.#visit
    const at = this.#ports.clock.now()
    visit?.answer?.settle({ how: 'complete', bodyBytes, at })
    if (!visit || this.#visit !== visit) return
    this.idleSince = at
    if (this.#isLast) this.close()
    else if (visit.isWhole) this.#next()
    // What the upstream did not want to read is read off, so that the connection can carry the next request.
    else visit.readOff()
  }

  /** The body of the answer under way has broken off. */
  broke(bodyBytes: number): void {
    this.#visit?.answer?.settle({ how: 'upstreamBroke', bodyBytes, at: this.#ports.clock.now() })
    this.socket.destroy()
  }

  #next(): void {
    this.#visit = undefined
    if (this.socket.isPaused()) this.socket.resume()
    if (this.#unread.length > 0) this.#readHead()
  }

  /** After what has been written; the client is given a moment to read it. */
  close(): void {
    this.#isEnding = true
    this.#visit = undefined
    linger(this.socket)
  }

  /** Whoever closes his side while he waits for an answer has left: a half-close cannot be told from that. */
  readonly #onEnd = (): void => {
    if (this.#visit && !this.#visit.isReadOff) this.socket.destroy()
    else this.socket.end()
  }

  readonly #onError = () => this.socket.destroy()

  readonly #onClose = (): void => {
    const visit = this.#visit
    this.#visit = undefined
    visit?.leave(this.#ports.clock.now)
  }
}
