// Hands each request to one of its Upstream's targets: to the one its client is bound to, else to one at which less is under way.
// What could not be handed over goes to another, once. It stands between an attempt and the forward, and outlives every reading.
// The danger it guards against: one dead node of three that fails a third of all requests, and fastest of all: by counting what is
// under way it would look like the least busy.
import { choose, type Wish } from '../../balancing/choice.ts'
import { asFailure, type Failure } from '../../errors.ts'
import { repeatable } from '../../message/again.ts'
import { cookieOf, withoutCookie } from '../../message/cookies.ts'
import type { Answer, Balance, Clock, Exchange, Next, Snapshot, Upstream } from '../../model.ts'
import { identityOf } from '../../rollout/identity.ts'
import type { Member } from './member.ts'
import { createMembers } from './members.ts'
import type { TargetHealth } from './port.ts'

export interface BalancerParts {
  readonly clock: Pick<Clock, 'now'>
  /** In [0, 1). */
  readonly random: () => number
  readonly health: TargetHealth
  /** Asks the `target` of its upstream, and no other. Rejects only with a Failure. */
  readonly forward: Next
  /** How many connections stand at that one. */
  openAt(upstream: Upstream): number
}

export interface Balancer {
  /** Asks one of the upstream's `targets`. Rejects only with a Failure. */
  readonly forward: Next
  viewOf(upstream: Upstream): Balance
  /** With the Snapshot that is served from now on. */
  follow(snapshot: Pick<Snapshot, 'upstreams'>): void
}

export function createBalancer({ clock, random, health, forward, openAt }: BalancerParts): Balancer {
  const members = createMembers(clock.now, health)
  const moved = new Map<string, number>()
  let cookies: readonly string[] = []

  /** The cookies that say where a client belongs are between it and us. */
  function withoutOurs(exchange: Exchange): Exchange {
    const fields = cookies.reduce(withoutCookie, exchange.fields)
    return fields === exchange.fields ? exchange : { ...exchange, fields }
  }

  function pick(upstream: Upstream, wish: Wish): Member {
    const member = choose(members.of(upstream), wish, random)
    if (!member) throw new Error(`${upstream.name} has no targets`)
    return member
  }

  async function askOneOf(exchange: Exchange): Promise<Answer> {
    const { upstream, tried = [] } = exchange
    const bound = boundOf(exchange)
    const wish = { ...(bound && { bound }), tried }
    const asked = withoutOurs(exchange)
    const again = repeatable(asked, 0)
    const first = pick(upstream, wish)
    try {
      return await askOne(first, asked, wish)
    } catch (thrown) {
      const failure = asFailure(thrown)
      const repeated = isUnreached(failure) && mayGoOn(exchange) ? again() : undefined
      if (!repeated) throw failure
      first.seat.unreached += 1
      return askOne(pick(upstream, { ...wish, unreached: first.origin }), repeated, wish)
    }
  }

  /** There is another target, and time for it. */
  function mayGoOn({ upstream, deadlineAt = Number.POSITIVE_INFINITY }: Exchange): boolean {
    return upstream.targets.length > 1 && clock.now() < deadlineAt
  }

  async function askOne({ seat, pinned, origin, id }: Member, exchange: Exchange, { bound }: Wish): Promise<Answer> {
    seat.active += 1
    try {
      const answer = await forward({ ...exchange, upstream: pinned })
      answer.onEnd(() => {
        seat.active -= 1
      })
      const isMoved = bound && 'id' in bound && bound.id !== id
      if (isMoved) moved.set(pinned.name, (moved.get(pinned.name) ?? 0) + 1)
      return { ...answer, target: origin }
    } catch (thrown) {
      seat.active -= 1
      throw Object.assign(asFailure(thrown), { target: origin })
    }
  }

  return {
    forward: (exchange) => (isAlone(exchange.upstream) ? forward(withoutOurs(exchange)) : askOneOf(exchange)),
    viewOf: (upstream) => ({
      targets: members.of(upstream).map((member) => member.loadOf(openAt(member.pinned))),
      moved: moved.get(upstream.name) ?? 0,
    }),
    follow(snapshot) {
      members.follow(snapshot)
      for (const name of moved.keys()) if (!snapshot.upstreams.has(name)) moved.delete(name)
      cookies = [...snapshot.upstreams.values()].flatMap(({ affinity }) =>
        affinity?.by === 'cookie' ? [affinity.name] : [],
      )
    },
  }
}

/** Nobody else could be asked, and no client need be told who was. */
function isAlone({ targets, affinity }: Upstream): boolean {
  return targets.length === 1 && affinity?.by !== 'cookie'
}

function boundOf(exchange: Exchange): Wish['bound'] {
  const { affinity } = exchange.upstream
  if (affinity?.by === 'cookie') {
    const id = cookieOf(exchange.fields, affinity.name)
    return id === undefined ? undefined : { id }
  }
  const client = affinity && identityOf(exchange, affinity)
  return client === undefined ? undefined : { client }
}

/** Nothing of it has arrived, and that is the target's doing: what waits in vain for a connection of ours would elsewhere too. */
function isUnreached({ mayHaveRun, blame }: Failure): boolean {
  return !mayHaveRun && blame === 'upstream'
}
