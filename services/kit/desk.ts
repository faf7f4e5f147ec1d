// Where every request passes: written down, given its fate, answered, and written down again.
// The danger it guards against: a ledger that says less than what really ran.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Fate, Faults } from './faults.ts'
import { Ledger, type LedgerEntry } from './ledger.ts'
import { type Counts, isOperators, operatorEndpoints } from './ops.ts'
import type { Site } from './site.ts'
import { Refusal, sendRefusal, type Visit } from './visit.ts'
import { wedgeInto } from './wedge.ts'

type Answer = (visit: Visit) => void | Promise<void>

const longestDelayMs = 60_000

export class FrontDesk {
  readonly #site: Site
  readonly #stopping: AbortSignal
  readonly #ledger = new Ledger()
  readonly #faults = new Faults()
  readonly #counts: Counts = { inFlight: 0, answers: {}, aborted: 0 }
  readonly #answerOperators: Answer

  constructor(site: Site, stopping: AbortSignal) {
    this.#site = site
    this.#stopping = stopping
    this.#answerOperators = operatorEndpoints({ ledger: this.#ledger, faults: this.#faults, counts: this.#counts })
  }

  async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const visit: Visit = { ...this.#visitOf(request), response }
    if (isOperators(visit.path)) return answerSafely(visit, this.#answerOperators)
    this.#watch(visit, this.#writeDown(visit))
    const fate = this.#faults.draw(visit.path)
    await this.#delay(visit, fate)
    if (fate.fault === 'hang') endWhenStopping(request.socket, this.#stopping)
    else if (fate.fault === 'reset') request.socket.resetAndDestroy()
    else if (fate.fault === 'error') sendRefusal(visit, new Refusal(500, 'an injected fault'))
    else {
      wedge(visit, fate)
      await answerSafely(visit, this.#site.answer)
    }
  }

  async upgrade(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const visit = this.#visitOf(request)
    const entry = this.#writeDown(visit)
    // From here on the socket is ours: without a listener a client's reset would end the process.
    socket.on('error', () => socket.destroy())
    socket.once('close', () => {
      if (entry?.state === 'running') entry.state = 'aborted'
    })
    const fate = this.#faults.draw(visit.path)
    await this.#delay(visit, fate)
    if (fate.fault === 'hang') endWhenStopping(socket.resume(), this.#stopping)
    else if (fate.fault) socket.resetAndDestroy()
    else {
      if (entry) Object.assign(entry, { status: 101, state: 'answered' })
      this.#site.upgrades?.accept(visit, socket, head)
    }
  }

  /** A client that leaves meanwhile changes nothing: the request runs, as in the systems that this one stands for. */
  async #delay({ query }: Pick<Visit, 'query'>, { delayMs }: Fate): Promise<void> {
    const wishMs = Number(query.get('delay')) || 0
    const totalMs = Math.min(longestDelayMs, delayMs + Math.max(0, wishMs))
    if (totalMs > 0) await sleep(totalMs, undefined, { ref: false })
  }

  #visitOf(request: IncomingMessage): Omit<Visit, 'response'> {
    const { path, query } = splitTarget(request.url ?? '/')
    return { service: this.#site.service, request, path, query, params: {}, stopping: this.#stopping }
  }

  #writeDown({ request, path }: Omit<Visit, 'response'>): LedgerEntry | undefined {
    const id = request.headers['x-request-id']
    if (typeof id !== 'string') return undefined
    const role = request.headers['banyan-role']
    return this.#ledger.open({ id, method: request.method ?? '', path, ...(typeof role === 'string' && { role }) })
  }

  #watch({ response }: Visit, entry: LedgerEntry | undefined): void {
    const counts = this.#counts
    counts.inFlight += 1
    response.once('close', () => {
      counts.inFlight -= 1
      const isWhole = response.writableFinished
      if (response.headersSent && entry) entry.status = response.statusCode
      if (entry) entry.state = isWhole ? 'answered' : 'aborted'
      const status = `${String(response.statusCode).charAt(0)}xx`
      if (isWhole) counts.answers[status] = (counts.answers[status] ?? 0) + 1
      else counts.aborted += 1
    })
  }
}

/** The raw path and the query of an origin-form or absolute-form target (RFC 9112 §3.2). */
function splitTarget(target: string): { path: string; query: URLSearchParams } {
  const local = target.replace(/^https?:\/\/[^/?#]*/i, '')
  const mark = local.indexOf('?')
  const path = mark < 0 ? local : local.slice(0, mark)
  return { path: path || '/', query: new URLSearchParams(mark < 0 ? '' : local.slice(mark + 1)) }
}

function endWhenStopping(socket: Socket, stopping: AbortSignal): void {
  const end = () => socket.destroy()
  stopping.addEventListener('abort', end, { once: true })
  socket.once('close', () => stopping.removeEventListener('abort', end))
}

function wedge({ request, response }: Visit, { fault, slowBodyMs }: Fate): void {
  if (request.method === 'HEAD') return
  // destroySoon: what has been written still goes out, then the connection ends before the body has.
  if (fault === 'truncate') wedgeInto(response, () => request.socket.destroySoon())
  else if (slowBodyMs > 0) wedgeInto(response, (goOn) => setTimeout(goOn, slowBodyMs))
}

async function answerSafely(visit: Visit, answer: Answer): Promise<void> {
  try {
    await answer(visit)
  } catch (thrown) {
    const { response } = visit
    if (response.destroyed) return
    if (response.headersSent) response.destroy()
    else sendRefusal(visit, thrown instanceof Refusal ? thrown : unforeseen(visit, thrown))
    // What is left of a body is read and dropped: a client that is still sending would not see the answer otherwise.
    visit.request.resume()
  }
}

function unforeseen({ service, path }: Visit, thrown: unknown): Refusal {
  process.stderr.write(`${service} failed at ${path}: ${thrown instanceof Error ? thrown.stack : String(thrown)}\n`)
  return new Refusal(500, 'something broke')
}
