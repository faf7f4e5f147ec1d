// A body that does not come whole with its head, on its way into stock.
// The danger it guards against: something half in stock, and clients who wait for an end that does not come.
import type { Readable } from 'node:stream'
import type { Told } from '../../caching/cacheStatus.ts'
import { keptForMs } from '../../caching/keeping.ts'
import { type Stored, type StoredHead, storedOf } from '../../caching/stored.ts'
import { namedTag, namesOfAnswer } from '../../caching/tags.ts'
import { answerOf } from '../../message/answer.ts'
import type { Answer, Clock } from '../../model.ts'
import type { CacheResult } from './counts.ts'
import { FillBody, type Filled } from './fillBody.ts'
import type { Apart, Land } from './flights.ts'
import { apartKey, type Found, type Inquiry, tagsOf } from './inquiry.ts'
import type { Moment, Putting, Stock } from './stock.ts'

export interface FetchParts {
  readonly clock: Clock
  readonly stock: Stock
  readonly apart: Apart
  readonly mostObjectBytes: number
  /** Calls once, so many milliseconds later. */
  schedule(run: () => void, afterMs: number): void
  count(inquiry: Inquiry, result: CacheResult): void
}

/** One request on its way: what it is for, and who waits for it. */
export interface Fetching {
  readonly inquiry: Inquiry
  /** What is asked after. */
  readonly found: Found | undefined
  readonly told: Exclude<Told, { hit: true }>
  readonly land: Land
}

interface Filling {
  readonly body: Readable
  readonly head: StoredHead
  /** When it was asked for. */
  readonly since: Moment
  readonly draft?: Putting['draft']
}

/** So many at a time: with the bound of one, the most that they hold of the memory. */
const mostFills = 64
/** Longer nobody waits for the end of a body that may have none. */
const patienceMs = 10_000

export class Filler {
  readonly #parts: FetchParts
  #fills = 0

  constructor(parts: FetchParts) {
    this.#parts = parts
  }

  /** Too large by its own word, one body too many at a time, or one of which nobody can say whether it is whole (RFC 9112 §8). */
  isTooMuch({ body, fields, endsWithConnection }: Answer): boolean {
    const { mostObjectBytes } = this.#parts
    if (body === undefined || Buffer.isBuffer(body)) return (body?.length ?? 0) > mostObjectBytes
    if (endsWithConnection === true || this.#fills >= mostFills) return true
    return Number(fields.get('content-length') ?? 0) > mostObjectBytes
  }

  /** @returns the answer as its client gets it; the body is read on without him */
  fill(fetching: Fetching, answer: Answer, filling: Filling): Answer {
    const { clock, stock, mostObjectBytes, schedule } = this.#parts
    const { inquiry } = fetching
    const draft = stock.draft(keptForMs(filling.head, inquiry.rules, clock.wall()))
    const fill = new FillBody(filling.body, mostObjectBytes, (soFar) => draft?.grown(soFar))
    const given = answerOf({ ...answer, body: fill }, clock.now)
    // Who broke it is known to whoever asked for it.
    answer.onEnd((end) => {
      if (end.how === 'upstreamBroke') given.settle(end)
    })
    this.#fills += 1
    schedule(() => fetching.land({ how: 'alone' }), patienceMs)
    void fill.filled.then((filled) => {
      this.#fills -= 1
      if (filled === 'tooLarge' || filled === 'broken') draft?.drop()
      if (filled === 'tooLarge') this.#leaveTo(given, answer, fetching)
      else return this.#end(filled, { fetching, answer, filling: { ...filling, draft } })
    })
    return given
  }

  /** It goes on as the stream of the client who has asked for it, if he is there still. */
  #leaveTo(given: Answer, answer: Answer, { inquiry, land }: Fetching): void {
    this.#parts.apart.add(apartKey(inquiry))
    land({ how: 'alone' })
    given.onEnd(answer.settle)
    if (given.body instanceof FillBody && given.body.destroyed) answer.discard()
  }

  async #end(filled: Exclude<Filled, 'tooLarge'>, about: About): Promise<void> {
    const { fetching, answer, filling } = about
    const at = this.#parts.clock.now()
    if (filled === 'broken') answer.settle({ how: 'upstreamBroke', bodyBytes: 0, at })
    else answer.settle({ how: 'complete', bodyBytes: filled.length, at })
    // A hit would come without its trailers.
    if (filled === 'broken' || (answer.trailers?.().raw.length ?? 0) > 0) {
      filling.draft?.drop()
      return fetching.land({ how: 'alone' })
    }
    const stored = storedOf(filling.head, filled)
    await putInto(this.#parts, fetching.inquiry, stored, filling)
    fetching.land({ how: 'stored', stored })
  }
}

interface About {
  readonly fetching: Fetching
  readonly answer: Answer
  readonly filling: Filling
}

export async function putInto(
  { stock, clock }: Pick<FetchParts, 'stock' | 'clock'>,
  inquiry: Inquiry,
  stored: Stored,
  { since, draft }: Pick<Putting, 'since' | 'draft'>,
): Promise<void> {
  const { place, rules } = inquiry
  const tags = [...tagsOf(inquiry), ...namesOfAnswer(stored.fields).map(namedTag)]
  await stock.put(place.key, stored, { tags, since, draft, keepMs: keptForMs(stored, rules, clock.wall()) })
}
