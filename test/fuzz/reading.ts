// What a reader of HTTP/1.1 bytes took them for, so that two readers can be compared.
// The danger it guards against: a comparison that overlooks the one thing smuggling is made of, where a message ends.

export interface Message {
  /** `METHOD target`, or `status reason`. */
  readonly start: string
  /** name, value … */
  readonly raw: readonly string[]
  /** latin1 */
  readonly body: string
  readonly trailers: readonly string[]
  /** The index of the first byte after it; undefined: it lasts until the connection closes. */
  readonly end: number | undefined
}

/** One case: bytes as latin1, and what they answer, if they are an answer. */
export interface Case {
  readonly kind: 'request' | 'answer'
  /** Of the request that is answered; of no meaning in a request. */
  readonly method: string
  readonly bytes: string
}

/** As it can be pasted into `regressions.ts`. */
export function pasteable({ kind, method, bytes }: Case): string {
  return `{ kind: '${kind}', method: '${method}', bytes: ${JSON.stringify(bytes)} },`
}
