// The keys of the tokens by which upstreams are told who a client is.
// The danger it guards against: a token that is good for so long that its loss matters.
import { type Static, Type } from 'typebox'
import { Duration, Text } from './schema.ts'

const closed = { additionalProperties: false } as const

export const internalTokenSchema = Type.Union(
  [
    Type.Boolean({ description: 'true: for this upstream, by its name.' }),
    Type.Object(
      { audience: Text({ title: 'a text', description: 'Whom the token is for (`aud`).' }) },
      { ...closed, description: 'For this upstream, under another name.' },
    ),
  ],
  {
    title: 'true, or { audience: NAME }',
    description:
      'Each request to it carries Banyan-Token: a JWT of a short life with the subject and the scopes of the client, signed by the gateway; the client’s own field of that name is not passed on.',
  },
)

export const internalTokensSchema = Type.Object(
  {
    issuer: Text({
      title: 'a text such as https://gateway.example',
      default: 'banyan',
      description: 'Who signs (`iss`).',
    }),
    life: Duration({ default: '5m', description: 'How long a token is good; it is used again for half of that.' }),
    rotate: Duration({
      default: '30d',
      description: 'How long a key signs. The next one is published ten minutes ahead, or half of this.',
    }),
    algorithm: Type.Enum(['ES256', 'EdDSA'], { default: 'ES256', description: 'How they are signed.' }),
    public: Type.Boolean({
      default: false,
      description:
        'Whether the public door gives the keys too, at /.well-known/banyan/jwks.json; the admin listener always does.',
    }),
  },
  { ...closed, default: {}, description: 'Tokens by which upstreams with `internalToken` are told who a client is.' },
)

export type CheckedInternalToken = Static<typeof internalTokenSchema>
