// The keys of who may use a route, and of who can tell: issuers of tokens, and the monolith for its sessions.
// The danger it guards against: a token that is taken because nobody has said whom it must be for.
import { type Static, Type } from 'typebox'
import { Duration, Text } from './schema.ts'

const closed = { additionalProperties: false } as const

/** RFC 6749 §3.3. */
const scope = Type.String({
  title: 'a scope such as search:read: visible characters but " and \\',
  pattern: '^[\\x21\\x23-\\x5b\\x5d-\\x7e]+$',
  description: 'A scope.',
})

export const authSchema = Type.Union(
  [
    Type.Enum(['none'], { description: 'Credentials go on unchecked and untouched: the same as no `auth`.' }),
    Type.Object(
      {
        any: Type.Array(
          Type.Enum(['jwt', 'apiKey', 'session'], {
            description:
              'jwt: a token of one of the `issuers`. apiKey: a key of ours (Authorization: Bearer byn_…, or X-Api-Key), which is taken off the request. session: a cookie that `sessionCheck` knows.',
          }),
          { minItems: 1, uniqueItems: true, description: 'One of these is enough.' },
        ),
        scopes: Type.Optional(
          Type.Array(scope, {
            uniqueItems: true,
            description: 'It has all of these; a session has none. Absent: any.',
          }),
        ),
        mode: Type.Optional(
          Type.Enum(['enforce', 'report'], {
            description: 'report: counts what it would refuse, and lets it through; default: enforce.',
          }),
        ),
      },
      { ...closed, description: 'Who may use the route.' },
    ),
  ],
  {
    description:
      'Who may use the route; CORS preflights always may. Absent: credentials go on unchecked and untouched, because the upstream may check them itself.',
  },
)

const asymmetric = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
const symmetric = ['HS256', 'HS384', 'HS512']
const claimName = { title: 'the name of a claim' }

const issuerSchema = Type.Object(
  {
    issuer: Type.String({
      title: 'what the tokens say in "iss", such as https://login.example.com/',
      pattern: '^[\\x21-\\x7e]+$',
      description: 'What its tokens say in `iss`, to the letter.',
    }),
    jwks: Type.Optional(
      Text({
        title: 'a URL such as https://login.example.com/jwks.json, or the path of a file',
        description:
          "Where its public keys are: https (http only to this machine), or a file, relative to this file's folder.",
      }),
    ),
    secret: Type.Optional(
      Type.String({
        title: 'a secret of at least 32 bytes',
        writeOnly: true,
        description:
          'In place of `jwks`, for the HS algorithms alone: whoever has it can make tokens. From the environment.',
      }),
    ),
    audience: Type.Array(Text({ title: 'what a token says in "aud"', description: 'One that a token may be for.' }), {
      minItems: 1,
      description: 'A token is for one of these (`aud`), or it is for somebody else.',
    }),
    algorithms: Type.Array(Type.Enum([...asymmetric, ...symmetric], { description: 'By its name in RFC 7518.' }), {
      minItems: 1,
      uniqueItems: true,
      default: ['RS256', 'PS256', 'ES256', 'EdDSA'],
      description: 'Those that are taken; HS256, HS384 and HS512 only with a `secret`.',
    }),
    clockTolerance: Duration({ default: '10s', description: 'By which its clock may differ from ours.' }),
    type: Type.Optional(
      Text({
        title: 'a token type such as at+jwt',
        description: '`typ`, where only one is taken. Absent: JWT, at+jwt, and tokens without any.',
      }),
    ),
    subject: Text({ ...claimName, default: 'sub', description: 'The claim that says who it is.' }),
    scopes: Text({
      ...claimName,
      default: 'scope',
      description: 'The claim with the scopes: a list, or one text with spaces.',
    }),
    refresh: Duration({
      default: '5m',
      description:
        'How often a URL is asked for its keys: one that it does not name any more is good for no longer than that.',
    }),
    lastGood: Duration({
      default: '1h',
      description: 'How long the last keys are good while there are none to be had. Then its tokens are answered 503.',
    }),
  },
  { ...closed, description: 'An issuer of tokens (JWT).' },
)

export const authProperties = {
  issuers: Type.Array(issuerSchema, { default: [], maxItems: 100, description: 'Whose tokens (JWT) are taken.' }),
  sessionCheck: Type.Optional(
    Type.Object(
      {
        upstream: Text({ title: 'the name of an upstream', description: 'Who knows the sessions: the monolith.' }),
        path: Type.String({
          title: 'a path such as /api/me',
          pattern: '^/[\\x21-\\x22\\x24-\\x7e]*$',
          description:
            'It is asked there, by GET, with the `sessionCookie` and no other: 200 says that the session is good.',
        }),
        subject: Text({
          title: 'the place of the user in its JSON, such as $.user.id',
          description: "Where its JSON says whose it is; without a text or number there it is nobody's.",
        }),
        cache: Duration({
          default: '10s',
          description: 'How long its word is good: a logout is heard of so late. A no is good for 1s at most.',
        }),
      },
      {
        ...closed,
        description: 'Asks the monolith whose session a cookie is, for routes with `auth: { any: [session] }`.',
      },
    ),
  ),
}

export type CheckedIssuer = Static<typeof issuerSchema>
export type CheckedAuth = Static<typeof authSchema>
export type CheckedSessionCheck = NonNullable<Static<(typeof authProperties)['sessionCheck']>>
