// The words of the house, as types. Each is defined here once and used with this meaning in code, config, metrics and docs.
// This file and those in model/ import nothing else of ours.
import type { Duplex, Readable } from 'node:stream'
import type { BreakerSettings } from './model/breaker.ts'
import type { Client } from './model/client.ts'
import type { CoreSettings, Position, Problem, RouteMatch } from './model/file.ts'
import type { WatchSettings } from './model/health.ts'
import type { AuthRules, Identity } from './model/identity.ts'
import type { InternalTokenSettings } from './model/internalToken.ts'
import type { Effective, RolloutDeclaration, Stage } from './model/rollout.ts'
import type { SecretSettings } from './model/secret.ts'
import type { Affinity, Target } from './model/target.ts'

export type * from './model/breaker.ts'
export type * from './model/caching.ts'
export type * from './model/client.ts'
export type * from './model/comparison.ts'
export type * from './model/file.ts'
export type * from './model/health.ts'
export type * from './model/identity.ts'
export type * from './model/internalToken.ts'
export type * from './model/limiting.ts'
export type * from './model/load.ts'
export type * from './model/override.ts'
export type * from './model/retry.ts'
export type * from './model/rollout.ts'
export type * from './model/secret.ts'
export type * from './model/target.ts'

/** Why an attempt is made: only `primary` is the client's own request at the side that its Route chose. */
export type Role = 'primary' | 'retry' | 'fallback' | 'shadow' | 'noise' | 'revalidate'

/** Whose fault a failure is. Breakers and guards read it: a client that hangs up is no upstream failure. */
export type Blame = 'client' | 'upstream' | 'gateway'

/** Time as an input, so that tests own it. */
export interface Clock {
  /** Monotonic milliseconds, for durations. */
  now(): number
  /** Milliseconds since the epoch, for records. */
  wall(): number
}

/** HTTP fields in the order, case and number in which they were received. Immutable. */
export interface Fields {
  /** name, value, name, value … ; bytes of the wire as latin1. */
  readonly raw: readonly string[]
  /** The first value of that name in any case, or undefined. */
  get(name: string): string | undefined
  /** All values of that name in any case, in order. */
  all(name: string): readonly string[]
  has(name: string): boolean
}

/** Nothing, all of it, or a stream with exactly one consumer. */
export type Body = undefined | Buffer | Readable

/** One request under way. Immutable: a filter that changes something passes a changed copy on (`{ ...exchange, upstream }`). */
export interface Exchange {
  /** The request id: the client's X-Request-Id when it is sane, else made by us. */
  readonly id: string
  /** Monotonic milliseconds (Clock.now) at which its head was complete. */
  readonly receivedAt: number
  readonly method: string
  /** The request target byte for byte as received (latin1). */
  readonly target: string
  /** The normalised copy of the target's path that Routes are matched against; never sent anywhere. */
  readonly path: string
  readonly fields: Fields
  readonly body: Body
  /** The request's trailers; complete once its body has ended. */
  readonly trailers?: (() => Fields) | undefined
  /** The offered protocols (the value of Upgrade) when the client asks to leave HTTP. */
  readonly upgrade?: string | undefined
  readonly client: Client
  /** Who sent it, once its Route has checked that. */
  readonly identity?: Identity
  /** Its address has failed so often that nothing is checked any more that costs something. */
  readonly isScreened?: true
  readonly route: Route
  /** A Route with `auth` that a looser reading of its path meets: that auth applies too. */
  readonly guardedBy?: RouteDeclaration | undefined
  /** Where the request is headed. */
  readonly upstream: Upstream
  readonly role: Role
  /** Whether its client has just written (readYourWrites), and is given nothing that was stored before. */
  readonly isPastStock?: boolean
  /** Whether something stale stands in for it if its Upstream fails (RFC 5861 §4): then it is asked once, and nobody in its place. */
  readonly hasStale?: boolean
  /** Whether it waits for a connection behind those that do not, and is dropped before them: its Upstream has not failed anybody. */
  readonly yields?: boolean
  /** The origins of the targets that earlier attempts at its Upstream went to: one that nothing binds goes to another. */
  readonly tried?: readonly string[]
  /** Why there is no room now for a fallback: a Failure (errors.ts); undefined when there is. Absent: there always is. */
  readonly lacksFallback?: () => Error | undefined
  /** Monotonic milliseconds by which the answer's head must have come, whoever gives it. */
  readonly deadlineAt?: number
  /** Whether it is the client's own word, and no failure of the Upstream when it passes. */
  readonly isClientsDeadline?: boolean
  /** Calls the listener once if the client leaves before its answer has ended; at once if it has left already. */
  onGone(listener: () => void): void
  /** Passes an interim answer (1xx, never 101) on to the client. */
  inform(status: number, fields: Fields): void
}

/** How an Answer ended. `discarded`: a filter dropped it unread in favour of another. */
export type EndHow = 'complete' | 'upstreamBroke' | 'clientGone' | 'discarded'

export interface End {
  readonly how: EndHow
  /** Bytes of the body that were passed on. */
  readonly bodyBytes: number
  /** The code (errors.ts) of what broke it, where that is known. */
  readonly failure?: string
  /** Monotonic milliseconds. */
  readonly at: number
}

/** What goes back to the client. Immutable but for its one end. */
export interface Answer {
  readonly status: number
  /** The reason phrase as received; may be empty. */
  readonly reason: string
  readonly fields: Fields
  readonly body: Body
  /** After a 101: the upstream's side of the connection, bytes of any protocol. */
  readonly tunnel?: Duplex | undefined
  /** The answer's trailers; complete once its body has ended. */
  readonly trailers?: (() => Fields) | undefined
  /** Who made it. */
  readonly by: 'upstream' | 'cache' | 'gateway'
  /** The name of the Upstream that it came from, if any. */
  readonly upstream?: string | undefined
  /** The origin of the one of that Upstream's several targets that it came from. */
  readonly target?: string | undefined
  /** The code (errors.ts) of the failure that it reports, when the gateway made it. */
  readonly failure?: string | undefined
  /** Why it is not of the Upstream that the Route chose: the code of its failure (errors.ts), or its status. */
  readonly fallback?: string | undefined
  /** Where its Route's move stood when its side was chosen. */
  readonly standing?: Effective | undefined
  /** Its body ends with the connection: nobody can say that it is whole (RFC 9112 §8). */
  readonly endsWithConnection?: boolean | undefined
  /** Calls the listener once when the answer has ended; at once if it has ended already. */
  onEnd(listener: (end: End) => void): void
  /** Ends it. The first call counts; later ones are ignored. The doors and the forwards call it. */
  settle(end: End): void
  /** Drops it unread: whoever does not pass an Answer on calls this. */
  discard(): void
  /** Of a tunnel that may be ended before its time: calls the listener when the client is to be told goodbye; at once if it is to be already. */
  onLeave?(listener: () => void): void
}

/** The rest of the journey, seen from inside it. */
export type Next = (exchange: Exchange) => Promise<Answer>

/** One concern wrapped around the rest of the journey. May call `next` again, with a changed copy, or on the side. */
export type Filter = (exchange: Exchange, next: Next) => Promise<Answer>

/** How one attempt at one Upstream ended. Reported exactly once per attempt. */
export interface Outcome {
  readonly exchangeId: string
  readonly route: string
  readonly upstream: string
  readonly role: Role
  /** The status that the upstream answered; undefined when it gave no head. */
  readonly status?: number | undefined
  /** The code of the failure (errors.ts), before or after the head. */
  readonly failure?: string | undefined
  /** Undefined when nothing went wrong. */
  readonly blame?: Blame | undefined
  /** From the start of the attempt to the answer's head; undefined without one. */
  readonly firstByteMs?: number | undefined
  /** From the start of the attempt to its end. */
  readonly totalMs: number
  readonly end: EndHow | 'noAnswer'
}

/** A named place that can answer: the monolith, or a service cut out of it. */
export interface Upstream extends WatchSettings {
  readonly name: string
  /** The first of its targets; of an attempt the one that it goes to. */
  readonly target: Target
  /** All that can answer alike; at least one. */
  readonly targets: readonly Target[]
  /** What keeps a client with one of them; absent: each request goes where least is under way. */
  readonly affinity?: Affinity
  /** How long one that has come, or come back, is given less than the others; absent: not at all. */
  readonly slowStartMs?: number
  readonly connectMs: number
  /** From the last byte of the request sent to the first of the answer. */
  readonly firstByteMs: number
  /** The longest silence, either way, while bytes should move. */
  readonly idleMs: number
  /** What it is spoken to in. */
  readonly protocol: 'http1' | 'h2'
  /** The most connections of the whole fleet to it (`h2`: requests); requests beyond its gateway's share wait, `connectMs` at most. */
  readonly maxConnections: number
  /** The most requests that wait for one. */
  readonly maxPending: number
  /** Absent: it is asked however it fares. */
  readonly breaker?: BreakerSettings
  /** Absent: it is told of the client's own credentials alone. */
  readonly secret?: SecretSettings
  /** Absent: it is told of the client by the client alone. */
  readonly internalToken?: InternalTokenSettings
}

/** What a Route moves from and to, and the Rollout that says how far it is. */
export interface Move {
  readonly from: Upstream
  readonly to: Upstream
  /** As declared. */
  readonly stage: Stage
  readonly rollout: RolloutDeclaration
}

/** A Route as the file declares it, before its pipeline is compiled. */
export interface RouteDeclaration {
  readonly name: string
  readonly match: RouteMatch
  readonly position: Position
  /** The move, if it moves: from, to and the declared stage. */
  readonly move?: Move
  /** The Rollouts that are to know who has written, through whichever Route; absent without any. */
  readonly rememberedBy?: readonly RolloutDeclaration[]
  /** Who answers as declared: `to` in live and final, `from` before, `upstream` of a Route that does not move. */
  readonly upstream: Upstream
  /** The most of a request's body that is kept so that it can be sent again. */
  readonly keepBodyBytes: number
  /** Absent: credentials go on to its Upstream unchecked and untouched. */
  readonly auth?: AuthRules
}

/** A set of requests of the public site, who owns it, what happens on the way. */
export interface Route extends RouteDeclaration {
  /** The names of the filters in its pipeline, in order. */
  readonly filters: readonly string[]
  /** Its compiled pipeline. */
  readonly run: Next
}

/** What the matcher needs of a request. */
export interface Asked {
  readonly method: string
  readonly target: string
  readonly fields: Fields
}

/** The Route of a request, and how it was found. */
export interface Match {
  readonly route: Route
  /** The normalised path. */
  readonly path: string
  /** The name of a Route that only a looser reading of the path (case, slash, `;x`, %2F) would have met; counted as a near miss. */
  readonly nearMiss?: string
  /** Another Route, with `auth`, that a looser reading of the path meets. */
  readonly guardedBy?: Route
}

/** All that one reading of routes.yaml compiles to. Frozen; only ever replaced whole. */
export interface Snapshot {
  /** 1, 2, 3 … since the process started. */
  readonly revision: number
  /** The first 12 hexadecimal digits of the SHA-256 of the file's bytes. */
  readonly hash: string
  /** Milliseconds since the epoch. */
  readonly loadedAt: number
  readonly settings: CoreSettings
  readonly upstreams: ReadonlyMap<string, Upstream>
  /** All declared Routes in file order, without `unmatched`. */
  readonly routes: readonly Route[]
  /** Takes whatever no Route names. */
  readonly unmatched: Route
  /** By key. */
  readonly rollouts: ReadonlyMap<string, RolloutDeclaration>
  readonly warnings: readonly Problem[]
  /** Never fails: what nothing names is `unmatched`. */
  match(asked: Asked): Match
}
