// The keys of an upstream's `breaker`.
// The danger it guards against: a breaker that opens where the operator believes that there is none.
import { type Static, Type } from 'typebox'
import { Duration, Share } from './schema.ts'

export const breakerSchema = Type.Object(
  {
    errorShare: Share({
      default: '50%',
      description:
        'The share of requests that have failed (no answer, one that broke off, or a 5xx) at which it opens.',
    }),
    minRequests: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      default: 20,
      description: 'Fewer requests in the window open nothing.',
    }),
    window: Duration({ default: '10s', description: 'The time over which requests are counted once they have ended.' }),
    open: Duration({
      default: '10s',
      description:
        'How long nothing is sent to it, a fifth less or more by chance; then one request is let through, and if that fails it is twice as long, up to 5m.',
    }),
    slowerThan: Type.Optional(
      Duration({ description: 'Until the answer begins: what takes longer is slow. Absent: nothing is.' }),
    ),
    slowShare: Type.Optional(Share({ description: 'The share of slow requests at which it opens; default: 50%.' })),
    engine: Type.Enum(['own', 'opossum'], {
      default: 'own',
      description: 'What counts and decides; for what opossum does less see gateway/decisions/0007-breaker.md.',
    }),
  },
  {
    additionalProperties: false,
    description:
      'Answers 503 at once while the upstream fails, in place of asking it. `breaker: {}` takes all defaults; absent: it is always asked.',
  },
)

export type CheckedBreaker = Static<typeof breakerSchema>
