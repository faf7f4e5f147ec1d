// Our own engine: a window over the calls that have ended, an opening that lasts longer each time, and one trial at a time.
// It has no timer: it looks at the clock when it is asked. The danger it guards against: a circuit that stays open for ever,
// because its trial hangs, or that opens and closes on the word of calls from before the outage.
import type { CallResult, CircuitState, Permit } from '../../model.ts'
import type { Engine, EngineParts, FleetWord, Turn } from './engine.ts'
import { CallWindow } from './window.ts'

/** Beyond this it is not left alone for longer (unless the file says so), give or take the jitter. */
const longestOpenMs = 300_000
/** Up to so much less or more, so that the trials of several gateways do not come in one moment. */
const jitter = 0.2

export function createOwnEngine(parts: EngineParts): Engine {
  return new OwnEngine(parts)
}

class OwnEngine implements Engine {
  readonly #parts: EngineParts
  readonly #window: CallWindow
  #state: CircuitState = 'closed'
  /** How often it has opened: what began before the last time says nothing of how things are now. */
  #opening = 0
  /** How often in a row before the last time. */
  #repeated = -1
  #closedAt = Number.NEGATIVE_INFINITY
  /** While open: when a trial may go. Half-open: when another one may, should this one hang. */
  #nextTrialAt = 0
  #trial: Permit | undefined

  constructor(parts: EngineParts) {
    this.#parts = parts
    this.#window = new CallWindow(parts.settings.windowMs)
  }

  state(): CircuitState {
    return this.#state
  }

  isClosed(): boolean {
    return this.#state === 'closed'
  }

  retryInMs(): number {
    return this.#state === 'open' ? Math.max(0, this.#nextTrialAt - this.#parts.now()) : 0
  }

  acquire(): Permit | undefined {
    if (this.#state === 'closed') return new OwnPermit(this, this.#opening)
    const nowMs = this.#parts.now()
    if (nowMs < this.#nextTrialAt || !this.#parts.mayTry()) return undefined
    this.#nextTrialAt = nowMs + this.#parts.settings.openMs
    this.#trial = new OwnPermit(this, this.#opening)
    if (this.#state === 'open') this.#turn('halfOpen', 'one request is let through')
    return this.#trial
  }

  /** @returns the slot of the window that it was counted in, if it was */
  settle(permit: OwnPermit, result: CallResult, tookMs: number): number | undefined {
    if (permit.opening !== this.#opening) return undefined
    const { slow } = this.#parts.settings
    const isSlow = slow !== undefined && tookMs > slow.afterMs
    // Whoever left after so long has shown as much as one who stayed.
    if (result === 'nothing' && !isSlow) {
      if (permit === this.#trial) this.#nextTrialAt = Number.NEGATIVE_INFINITY
      return undefined
    }
    if (this.#state !== 'closed' && !this.#hasClosed(result === 'fine' && !isSlow)) return undefined
    return this.#count(result === 'failed', isSlow)
  }

  broke(permit: OwnPermit, slot: number): void {
    if (permit.opening !== this.#opening) return
    this.#window.takeBack(slot, this.#parts.now())
    this.#count(true, false)
  }

  obey(word: FleetWord): void {
    const isTurn = this.#state !== word.to
    if (word.to === 'closed') {
      if (!isTurn) return
      this.#closedAt = this.#parts.now()
      this.#turn('closed', word.reason, { isFleets: true })
      return
    }
    const { reason, forMs } = word
    // As often in a row as so long a time says.
    this.#repeated = Math.max(0, Math.round(Math.log2(forMs / this.#parts.settings.openMs)))
    this.#leaveAlone(forMs)
    if (isTurn) this.#turn('open', reason, { forMs, isFleets: true })
  }

  retire(): void {}

  #count(isFailed: boolean, isSlow: boolean): number {
    const slot = this.#window.add({ isFailed, isSlow }, this.#parts.now())
    if (isFailed || isSlow) this.#openIfDue()
    return slot
  }

  #openIfDue(): void {
    const { requests, failures, slow: slowCalls } = this.#window
    const { minRequests, errorShareBasisPoints, slow, windowMs } = this.#parts.settings
    if (requests < minRequests) return
    const within = `of ${requests} requests within ${windowMs / 1000} s`
    if (failures * 10_000 >= requests * errorShareBasisPoints) this.#open(`${failures} ${within} failed`)
    else if (slow && slowCalls * 10_000 >= requests * slow.shareBasisPoints)
      this.#open(`${slowCalls} ${within} took longer than ${slow.afterMs} ms`)
  }

  /** The first trial that ends decides, also one that has been given up. */
  #hasClosed(isWell: boolean): boolean {
    if (isWell) {
      this.#closedAt = this.#parts.now()
      this.#turn('closed', 'the trial was answered well')
    } else this.#open('the trial failed')
    return isWell
  }

  #open(reason: string): void {
    const { openMs, windowMs } = this.#parts.settings
    const nowMs = this.#parts.now()
    const isAgain = this.#state === 'halfOpen' || nowMs - this.#closedAt <= windowMs
    this.#repeated = isAgain ? this.#repeated + 1 : 0
    const usualMs = Math.min(openMs * 2 ** this.#repeated, Math.max(openMs, longestOpenMs))
    const forMs = Math.round(usualMs * (1 - jitter + 2 * jitter * this.#parts.random()))
    this.#leaveAlone(forMs)
    this.#turn('open', reason, { forMs })
  }

  #leaveAlone(forMs: number): void {
    this.#opening += 1
    this.#window.reset()
    this.#nextTrialAt = this.#parts.now() + forMs
  }

  #turn(to: CircuitState, reason: string, more?: Pick<Turn, 'forMs' | 'isFleets'>): void {
    const from = this.#state
    this.#state = to
    this.#parts.turned({ from, to, reason, ...more })
  }
}

class OwnPermit implements Permit {
  readonly #engine: OwnEngine
  /** Under which opening it was given. */
  readonly opening: number
  #isReported = false
  /** Where it was counted as fine. */
  #slot: number | undefined

  constructor(engine: OwnEngine, opening: number) {
    this.#engine = engine
    this.opening = opening
  }

  report(result: CallResult, tookMs: number): void {
    if (this.#isReported) return
    this.#isReported = true
    const slot = this.#engine.settle(this, result, tookMs)
    if (result === 'fine') this.#slot = slot
  }

  broke(): void {
    if (this.#slot !== undefined) this.#engine.broke(this, this.#slot)
  }
}
