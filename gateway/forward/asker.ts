// What a connection to an upstream tells whoever has asked on it.
// The danger it guards against: an answer told twice, or a break told as an end.
import type { Socket } from 'node:net'
import type { AnswerHead } from './answerHead.ts'

/** Whoever has asked. The calls' order: informed*, then one of switched | answered, data*, ended; or broke instead of any. */
export interface Asker {
  readonly method: string
  /** Whether a 101 is welcome. */
  readonly mayUpgrade: boolean
  /** Whether the last byte of the request has been written: until then the connection cannot carry another. */
  isSent(): boolean
  informed(head: AnswerHead): void
  /** The connection has left HTTP and is the asker's own now. */
  switched(head: AnswerHead, socket: Socket): void
  /** @param body all of it when it came with the head; `undefined`: there is none; 'stream': it follows in `data` */
  answered(head: AnswerHead, body: Buffer | undefined | 'stream', trailers: readonly string[]): void
  /** @returns false to be given no more until `resume` */
  data(piece: Buffer): boolean
  ended(trailers: readonly string[]): void
  /** The connection is of no use any more. @param isMalformed the upstream said something that is no answer */
  broke(error: Error | undefined, isMalformed: boolean): void
}
