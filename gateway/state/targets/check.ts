// The checks of one target for one Upstream, one after another: a GET of our own at the path that the file says.
// The danger it guards against: a check that says something of the target which was the gateway's own doing, or that hangs for ever.
import { afterCheck, isGoodStatus, presumed, type Wellness } from '../../balancing/wellness.ts'
import { asFailure } from '../../errors.ts'
import { fieldsOf } from '../../message/fields.ts'
import type { Clock, HealthSettings, Next, Route, Target, TargetTurn, Upstream } from '../../model.ts'
import { startLegTime } from '../legTime.ts'

export interface CheckParts {
  readonly clock: Pick<Clock, 'now'>
  /** In [0, 1). */
  readonly random: () => number
  /** Asks the `target` of its upstream, on connections that are nobody's but the checks'. Rejects only with a Failure. */
  readonly forward: Next
  /** Runs it once, after that time; keeps no process alive. @returns what calls it off */
  readonly schedule: (run: () => void, afterMs: number) => () => void
  turned(turn: TargetTurn): void
}

export type CheckedUpstream = Upstream & { readonly health: HealthSettings }

/** How a check ended. `nothing`: it could not be made. */
type Found = { readonly isGood: boolean; readonly why: string } | 'nothing'

/** A connection that has served says nothing of whether the next client gets one. The Host is the target's own. */
const fields = fieldsOf(['User-Agent', 'banyan', 'Banyan-Role', 'health', 'Connection', 'close'])
const ourselves = { address: '', peer: '', peerTrusted: false, tls: false }

export class Check {
  readonly #parts: CheckParts
  readonly #target: Target
  readonly #route: Route
  #upstream: CheckedUpstream
  #callOff = () => {}
  #isAsking = false
  #isStopped = false
  #wellness: Wellness = presumed
  #upSince: number | undefined
  good = 0
  failed = 0

  /** @param route whichever: an Exchange has one, and whoever forwards does not look at it */
  constructor(parts: CheckParts, of: { target: Target; upstream: CheckedUpstream; route: Route }) {
    this.#parts = parts
    this.#target = of.target
    this.#upstream = of.upstream
    this.#route = of.route
    this.#begin()
  }

  get isWell(): boolean {
    return this.#wellness.isWell
  }

  /** When it was found well again; undefined: it is not, or always was. */
  get upSince(): number | undefined {
    return this.isWell ? this.#upSince : undefined
  }

  /** What the file says now; what is known of the target stays. */
  follow(upstream: CheckedUpstream): void {
    const isAsOften = upstream.health.everyMs === this.#upstream.health.everyMs
    this.#upstream = upstream
    if (!isAsOften && !this.#isAsking) this.#begin()
  }

  stop(): void {
    this.#isStopped = true
    this.#callOff()
  }

  /** The first at any moment of the first period: many targets, and many gateways, begin at once. */
  #begin(): void {
    this.#next(this.#parts.random() * this.#upstream.health.everyMs)
  }

  #next(afterMs: number): void {
    this.#callOff()
    this.#callOff = this.#parts.schedule(() => void this.#run(), afterMs)
  }

  async #run(): Promise<void> {
    const { now } = this.#parts.clock
    const startedAt = now()
    this.#isAsking = true
    const found = await this.#ask()
    this.#isAsking = false
    if (this.#isStopped) return
    if (found !== 'nothing') this.#note(found)
    this.#next(Math.max(0, startedAt + this.#upstream.health.everyMs - now()))
  }

  async #ask(): Promise<Found> {
    const { path, timeoutMs } = this.#upstream.health
    const { forward, clock } = this.#parts
    const time = startLegTime(timeoutMs)
    const upstream = { ...this.#upstream, target: this.#target }
    const request = { id: 'health', method: 'GET', target: path, path, fields, body: undefined, client: ourselves }
    const places = { route: this.#route, upstream, role: 'primary' as const, receivedAt: clock.now() }
    try {
      const answer = await forward({ ...request, ...places, onGone: time.onOver, inform() {} })
      answer.discard()
      return { isGood: isGoodStatus(answer.status), why: `${path} was answered ${answer.status}` }
    } catch (thrown) {
      const { blame, code } = asFailure(thrown)
      if (time.isOver) return { isGood: false, why: `${path} was not answered within ${timeoutMs} ms` }
      return blame === 'gateway' ? 'nothing' : { isGood: false, why: `${path} was not answered: ${code}` }
    } finally {
      time.stop()
    }
  }

  #note({ isGood, why }: Exclude<Found, 'nothing'>): void {
    const { name, health } = this.#upstream
    const before = this.#wellness
    this.#wellness = afterCheck(before, isGood, health)
    if (isGood) this.good += 1
    else this.failed += 1
    if (this.isWell === before.isWell) return
    if (this.isWell) this.#upSince = this.#parts.clock.now()
    const times = this.isWell ? health.healthy : health.unhealthy
    const reason = `${times} ${times === 1 ? 'check' : 'checks in a row'} said so: ${why}`
    this.#parts.turned({
      upstream: name,
      target: this.#target.origin,
      to: this.isWell ? 'healthy' : 'unhealthy',
      reason,
    })
  }
}
