// The core keys of routes.yaml: what every gateway has, whatever its filters. Type, default, check, editor schema and
// reference all come from here. The danger it guards against: a default that differs between the code and its documentation.
import { type Static, type TSchema, Type } from 'typebox'
import { adminSchema } from './adminSchema.ts'
import { authProperties, authSchema } from './authSchema.ts'
import { breakerSchema } from './breakerSchema.ts'
import { healthProperties } from './healthSchema.ts'
import { internalTokenSchema, internalTokensSchema } from './internalTokenSchema.ts'
import { keysSchema } from './keysSchema.ts'
import { matchSchema } from './matchSchema.ts'
import { publicSchema } from './publicSchema.ts'
import { CookieName, groupsSchema, rolloutProperties } from './rolloutSchema.ts'
import { Duration, ListenHost, Name, Port, Size, Text } from './schema.ts'
import { secretSchema } from './secretSchema.ts'
import { storeProperties } from './storeSchema.ts'
import { targetProperties } from './targetSchema.ts'
import { upstreamTlsSchema } from './upstreamTlsSchema.ts'

const closed = { additionalProperties: false } as const

const probesSchema = Type.Object(
  {
    host: ListenHost({ default: '0.0.0.0', description: 'The address that the load balancer reaches.' }),
    port: Port({ default: 8082, description: 'Its port; 0 takes a free one.' }),
  },
  { ...closed, default: {}, description: '/healthz and /readyz alone, for load balancers; no secrets there.' },
)

const choice = <const V extends string>(values: readonly V[], about: { default?: V; description: string }) =>
  Type.Enum([...values] as V[], about)

const pathsSchema = Type.Object(
  {
    case: choice(['exact', 'insensitive'], { default: 'exact', description: 'Whether /API is /api.' }),
    trailingSlash: choice(['distinct', 'same'], { default: 'distinct', description: 'Whether /api/ is /api.' }),
    semicolon: choice(['distinct', 'same'], { default: 'distinct', description: 'Whether /api;x=1 is /api.' }),
  },
  { ...closed, default: {}, description: 'What the monolith takes for the same path.' },
)

const accessLogSchema = Type.Union(
  [
    Type.Enum(['stdout', 'off'], { description: 'To standard output, or not at all.' }),
    Type.Object(
      { file: Text({ title: 'the path of a file', description: "Relative to this file's folder." }) },
      { ...closed, description: 'To a file.' },
    ),
  ],
  { default: 'stdout', description: 'One JSON line per request: no query values, no bodies, no credentials.' },
)

export const upstreamSchema = Type.Object(
  {
    ...targetProperties,
    connect: Duration({ default: '2s', description: 'Until the connection stands, TLS included.' }),
    firstByte: Duration({
      default: '30s',
      description: 'From the last byte of the request sent to the first of the answer; streams are not cut by it.',
    }),
    idle: Duration({ default: '60s', description: 'The longest silence, either way, while bytes should move.' }),
    maxConnections: Type.Integer({
      minimum: 1,
      maximum: 65_535,
      default: 1_024,
      description:
        'The most connections to it from the whole fleet: divided by the gateways that are alive, 1 each at least; requests beyond them wait for one, `connect` at most. With `protocol: h2`, which needs one connection, the most requests under way.',
    }),
    maxPending: Type.Integer({
      minimum: 0,
      maximum: 65_535,
      default: 1_024,
      description:
        'The most requests that wait for one of its connections; those beyond them are told at once: 503, `Retry-After`.',
    }),
    protocol: choice(['http1', 'h2'], { default: 'http1', description: 'What it is spoken to in.' }),
    tls: upstreamTlsSchema,
    breaker: Type.Optional(breakerSchema),
    ...healthProperties,
    secret: Type.Optional(secretSchema),
    internalToken: Type.Optional(internalTokenSchema),
  },
  { ...closed, description: 'A place that can answer: the monolith, or a service cut out of it.' },
)

/** Also for what no route names. */
export const keepBodyDefault = '64KiB'

export const moveSchema = Type.Object(
  {
    to: Name({ description: 'The upstream that takes over.' }),
    from: Type.Optional(Name({ description: 'The upstream that answers until then; default: `unmatched`.' })),
    ...rolloutProperties,
  },
  { ...closed, description: 'A move from one upstream to another; a rollback undoes exactly this.' },
)

export const routeSchema = Type.Object(
  {
    name: Name({ description: 'Unique; names the route in metrics, logs and status.' }),
    match: matchSchema,
    upstream: Type.Optional(Name({ description: 'The upstream that answers; instead of `move`.' })),
    move: Type.Optional(moveSchema),
    group: Type.Optional(
      Name({ description: 'The group that it moves with; then the group has its stage and share.' }),
    ),
    was: Type.Optional(
      Name({ description: 'Its name when its move began: its clients stay where they are, and so does a rollback.' }),
    ),
    keepBody: Size({
      default: keepBodyDefault,
      description:
        'Bodies of requests up to this are kept as they pass, so that they can be sent again; larger ones only go where nothing was sent.',
    }),
    auth: Type.Optional(authSchema),
  },
  { ...closed, description: 'A set of requests and who owns it.' },
)

/** The core keys of the top of the file but `upstreams` and `routes`, which hold sections of filters. */
export const topProperties = {
  public: publicSchema,
  probes: probesSchema,
  admin: adminSchema,
  stateDir: Text({
    title: 'the path of a folder',
    default: './var',
    description:
      "What must survive restarts; relative to this file's folder. BANYAN_STATE_DIR in the environment wins.",
  }),
  ...storeProperties,
  paths: pathsSchema,
  internalTokens: internalTokensSchema,
  accessLog: accessLogSchema,
  sessionCookie: Type.Optional(CookieName("The cookie in which the monolith keeps a client's session.")),
  keys: keysSchema,
  ...authProperties,
  groups: groupsSchema,
  unmatched: Name({ description: 'The upstream that takes whatever no route names; shown as the route "unmatched".' }),
} satisfies Record<string, TSchema>

const topSchema = Type.Object(topProperties)

/** The core of the file as it is once checked, defaults filled in. */
export type CheckedTop = Static<typeof topSchema>
export type CheckedUpstream = Static<typeof upstreamSchema>
export type CheckedMove = Static<typeof moveSchema>
