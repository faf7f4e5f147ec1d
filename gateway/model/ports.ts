// The ports that a filter may use, and what passes through them: what outlives a Snapshot, given to it once per Snapshot.
// The danger they guard against: a filter that reaches for more than it was given, and cannot be bound to anything else.
import type {
  Allowance,
  Answer,
  AuthCheck,
  AuthMode,
  AuthRules,
  Body,
  Breakers,
  CacheRules,
  Charge,
  Clock,
  CompareSettings,
  Effective,
  End,
  Exchange,
  Fields,
  Identity,
  KeyCheck,
  LegKind,
  Next,
  Outcome,
  Pressure,
  Retries,
  RolloutDeclaration,
  SecretSettings,
  Settled,
} from '../model.ts'

/** Everything a finished Exchange tells the log and the metrics. */
export interface Report {
  readonly exchange: Exchange
  readonly answer: Answer
  readonly end: End
  /** What went wrong, for the log: may name hosts, never fields, bodies or query values. */
  readonly reason?: string
}

/** The ports a filter may use: what outlives a Snapshot, given to it once per Snapshot. */
export interface Services {
  readonly clock: Clock
  /** Makes one attempt at one Upstream. Rejects only with a Failure (errors.ts). */
  forward(exchange: Exchange): Promise<Answer>
  reportOutcome(outcome: Outcome): void
  /** A request has entered its pipeline; each is followed by exactly one `reportEnd`. */
  reportStart(exchange: Exchange): void
  reportEnd(report: Report): void
  readonly rollouts: Rollouts
  readonly comparisons: Comparisons
  readonly retries: Retries
  readonly writes: Writes
  readonly streams: Streams
  readonly breakers: Breakers
  readonly pressure: Pressure
  readonly caches: Caches
  readonly secrets: Secrets
  readonly internalTokens: InternalTokens
  readonly credentials: Credentials
  readonly limits: Limits
}

/** What credentials say of a request, and what is known of those who sent the wrong ones. */
export interface Credentials {
  /** At once where it is known already; else it resolves, and never rejects. Tells nobody. */
  check(exchange: Exchange, rules: AuthRules): AuthCheck | Promise<AuthCheck>
  /** Whether so much has failed from that address of late that nothing is checked any more which costs something. */
  isOver(address: string, mode: AuthMode): boolean
  /** Counts what came of it; of what failed the address is kept, and operators are told, as far as that is bounded. */
  note(exchange: Exchange, rules: AuthRules, checked: AuthCheck): void
  /** An Answer may be a stream: it ends with the key or token that has opened it. @returns the Answer to be passed on in place of the one given */
  hold(answer: Answer, passed: Pick<Extract<AuthCheck, { ok: true }>, 'identity' | 'untilMs'>): Answer
}

/** How much of what they may use has been used. */
export interface Limits {
  /** One request of that Route; counted. Never rejects; asks the store for 100 ms at most, where there is one. */
  take<C extends Charge>(route: string, charges: readonly C[]): Allowance<C> | Promise<Allowance<C>>
  /** What was taken has come out cheaper or dearer. */
  settle(at: Allowance['at'], settled: readonly Settled[]): void
}

/** What upstreams are told of clients. */
export interface InternalTokens {
  /** A token that is good for half its life at least. @param identity undefined: of nobody who is known */
  of(identity: Identity | undefined, audience: string): Promise<string>
}

/** What upstreams know the gateway by. */
export interface Secrets {
  /** What stands in the field, to be tried in this order: two at most, none while there is none to be had. */
  of(secret: SecretSettings): readonly string[]
  /** That one was taken where the one before it was refused. */
  taken(secret: SecretSettings, value: string): void
}

/** Answers in stock, by RFC 9111. */
export interface Caches {
  /** From stock, or from the rest of the journey and into it. */
  answer(exchange: Exchange, next: Next, rules: CacheRules): Promise<Answer>
  /** What a request that is not safe may have changed is given to nobody any more (§4.4). @param answered the fields of its answer, if it has one */
  invalidate(exchange: Exchange, answered: Fields | undefined): Promise<void>
}

/** An Answer of the new side of a move. */
export interface Stream {
  readonly answer: Answer
  readonly rollout: RolloutDeclaration
  /** When it was asked for; monotonic milliseconds. */
  readonly receivedAt: number
  /** Whether its client is sent to the old side now. */
  isAbandoned(): boolean
}

/** What lasts, and is ended when its side is left. */
export interface Streams {
  /** Follows it, if it is one that has no end of its own. @returns the Answer to be passed on in place of the one given */
  hold(stream: Stream): Answer
}

/** A client as a Rollout tells it from others. */
export interface Writer {
  readonly rollout: RolloutDeclaration
  readonly identity: string
}

/** Who has written lately, for Rollouts with `readYourWrites`. */
export interface Writes {
  /** That Upstream has carried out, or may have, what that client wrote. Resolves within 100 ms, once other replicas may know. */
  took(writer: Writer, upstream: string): Promise<void> | undefined
  /** The name of the Upstream that took that client's last write; undefined when that is too long ago, or was elsewhere. */
  takenBy(writer: Writer): string | undefined
  /** Asks what the other replicas know of it, for 100 ms at most; undefined when nobody needs to be asked. Never rejects. */
  lookUp(writer: Writer): Promise<string | undefined> | undefined
}

/** A request that is made beside the client's own, to be compared with it. */
export interface Leg {
  readonly kind: LegKind
  readonly settings: CompareSettings
  /** As it goes on: its side, role and fields are its own. Without a body, and without the cookies that the candidate has set. */
  readonly exchange: Exchange
  readonly next: Next
  /** Of a method that is not safe: the client's own body, and the path at which the candidate says that it suppresses effects. */
  readonly write?: { readonly body: Body; readonly probe: string }
  /** Whose jar of the candidate's cookies it carries; absent: nobody's. */
  readonly jar?: string
  /** The cookie that the candidate may not set. */
  readonly loginCookie?: string
}

/** A leg for which there is room. One of the two is called. */
export interface AdmittedLeg {
  /** Makes it. @returns the client's own answer, to be passed on in place of the one given */
  make(own: Answer): Answer
  /** There is nothing to compare it with. */
  drop(): void
}

/** Makes the second request and compares, where there is room for it; never in the client's way. */
export interface Comparisons {
  /** Called before the client's own request goes on. Undefined when there is no room now, which is counted. */
  admit(leg: Leg): AdmittedLeg | undefined
  /** So many cookies were taken off an answer to a client. */
  loginDropped(route: string, cookies: number): void
}

/** What filters may know of the rollouts. */
export interface Rollouts {
  /** Where that one stands now; read once per request. */
  standing(rollout: RolloutDeclaration): Effective
  /** Under which identities fall into buckets. */
  splitKey(): string
}

/** Keys of ours. */
export interface ApiKeys {
  /** Synchronous: all live keys are in memory. @param key as the client sent it */
  check(key: string, asked: { readonly route: string; readonly address: string; readonly atMs: number }): KeyCheck
  /** A stream that this key has opened is ended when it is revoked. @returns the Answer to be passed on in place of the one given */
  hold(answer: Answer, keyId: string): Answer
}
