// The keys that say how far a move is and what moves it: in a route's `move`, or in the group that its route belongs to.
// The danger it guards against: a key that a route may have and a group not, or that means another thing there.
import { type Static, type TSchema, Type } from 'typebox'
import { Duration, Name, namePattern, nameTitle, Share, Text } from './schema.ts'

const closed = { additionalProperties: false } as const

const fieldName = (description: string) =>
  Type.String({ title: 'a field name such as x-user', pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", description })

/** The name of a cookie is a token (RFC 6265 §4.1.1). */
export const CookieName = (description: string) =>
  Type.String({ title: 'the name of a cookie', pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", description })

const stickyBySchema = Type.Union(
  [
    Type.Enum(['address', 'affinity'], { description: "The client's address, or a cookie of the gateway's own." }),
    Type.Object(
      {
        cookie: Type.Optional(CookieName('The cookie that tells clients apart.')),
        field: Type.Optional(fieldName('The field that tells clients apart.')),
        claim: Type.Optional(
          Text({
            title: 'the name of a claim',
            description: 'The claim of a token, for routes whose `auth` takes jwt; such as sub.',
          }),
        ),
      },
      { ...closed, description: 'A cookie, a field, or a claim.' },
    ),
  ],
  {
    title: 'address, affinity, { cookie: NAME }, { field: NAME } or { claim: NAME }',
    description:
      'What tells clients apart, so that each is always sent to the same side; a client without it stays with the old side. Default: the `sessionCookie`.',
  },
)

const testersSchema = Type.Object(
  {
    cookie: Type.Optional(CookieName('The cookie that carries the word.')),
    field: Type.Optional(fieldName('The field that carries the word.')),
    key: Text({
      title: 'a secret of at least 16 characters',
      description: 'What words are signed with; a reference to the environment.',
    }),
  },
  { ...closed, writeOnly: true, description: 'Named testers choose their side by a word from `banyan tester`.' },
)

const guardSchema = Type.Object(
  {
    moreErrorsThanOld: Share({
      default: '1%',
      description: 'Percentage points by which more may fail than at the old side at the same time.',
    }),
    maxErrorShare: Type.Optional(Share({ description: 'The most that may fail, whatever the old side does.' })),
    slowerThanOld: Type.Object(
      {
        times: Type.Number({
          minimum: 1,
          maximum: 100,
          default: 1.5,
          description: "Times the old side's latency at p50 or p95 …",
        }),
        and: Duration({ default: '50ms', description: '… and by at least this much.' }),
      },
      { ...closed, default: {}, description: 'It is too slow only when it is slower by both.' },
    ),
    statusShift: Share({
      default: '5%',
      description: 'Percentage points by which the share of a class of statuses may differ.',
    }),
    moreAbandoned: Share({
      default: '2%',
      description: 'Percentage points by which more clients may leave before the answer.',
    }),
    maxMismatchShare: Type.Optional(Share({ description: 'The most of the compared answers that may differ.' })),
    minRequests: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      default: 100,
      description: 'Fewer in the window are inconclusive, never a pass.',
    }),
    window: Duration({ default: '30s', description: 'What is looked at, each second anew.' }),
    failuresInARow: Type.Integer({
      minimum: 1,
      maximum: 10_000,
      default: 5,
      description: 'So many one after another fail it, even below `minRequests`.',
    }),
  },
  {
    ...closed,
    default: {},
    description: 'What the new side may do worse before it is rolled back; judged each second.',
  },
)

const readYourWritesSchema = Type.Object(
  {
    after: Type.Array(
      Text({
        title: 'a path such as /api/orders/*, maybe with a method before it',
        description: 'A path, or a method and a path.',
      }),
      {
        minItems: 1,
        description: 'The paths, maybe each with a method before it, that such a write goes to.',
      },
    ),
    for: Duration({ default: '5s', description: 'For how long.' }),
  },
  { ...closed, description: 'Reads of whoever has just written go to the side that took the write.' },
)

export const rolloutProperties = {
  stage: Type.Enum(['legacy', 'shadow', 'canary', 'live', 'final'], {
    default: 'legacy',
    description:
      'Who answers: `from` (legacy), `from` while `to` is asked too (shadow), `to` for a share of the clients (canary), `to` with a way back (live), `to` without (final).',
  }),
  share: Type.Optional(Share({ description: 'The share of clients that `to` answers in canary.' })),
  stickyBy: Type.Optional(stickyBySchema),
  testers: Type.Optional(testersSchema),
  holdback: Type.Optional(Share({ description: 'The share of clients that stay with `from` in live, as a control.' })),
  guard: guardSchema,
  steps: Type.Optional(
    Type.Array(Share({ description: 'A share.' }), {
      minItems: 1,
      description: 'Shares through which a canary goes by itself while all is well.',
    }),
  ),
  each: Duration({ default: '10m', description: 'The least time at each of the `steps`.' }),
  hours: Type.Optional(
    Text({ title: 'days and hours such as Mon-Thu 09:00-16:00', description: 'When the `steps` may be taken.' }),
  ),
  readYourWrites: Type.Optional(readYourWritesSchema),
  closeStreams: Duration({
    default: '30s',
    description: 'How long streams of the side that a rollback leaves may go on.',
  }),
  mayLogin: Type.Boolean({
    default: false,
    description:
      'Whether `to` may set the `sessionCookie`; else it is dropped from its answers, so that a try logs nobody out.',
  }),
  writesSurviveRollback: Type.Boolean({
    default: false,
    description:
      'Your word that writes taken by `to` are seen by `from`; without it the guard only pauses a move that takes writes.',
  }),
} satisfies Record<string, TSchema>

const groupProperties = {
  ...rolloutProperties,
  was: Type.Optional(
    Name({ description: 'Its name when its move began: its clients stay where they are, and so does a rollback.' }),
  ),
}

const groupSchema = Type.Object(groupProperties, { ...closed, description: 'Routes that move together.' })

export const groupsSchema = Type.Record(Type.String(), groupSchema, {
  propertyNames: { pattern: namePattern, title: nameTitle },
  default: {},
  description: 'Routes that move together, each group under its name; a route says `group: NAME`.',
})

export type CheckedRollout = Static<typeof groupSchema>
