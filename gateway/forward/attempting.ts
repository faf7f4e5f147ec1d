// What an attempt at an upstream is given, whatever protocol it speaks: the request, and whom to tell how it went.
// The danger it guards against: an attempt that ends untold. One of the two is called, and only the first call counts.
import type { Failure } from '../errors.ts'
import type { Answer, Clock, Exchange } from '../model.ts'

export interface Attempting {
  readonly exchange: Exchange
  readonly clock: Clock
  /** The head has come; a later break destroys the body. */
  resolve(answer: Answer): void
  /** No head came. */
  reject(failure: Failure): void
}
