// The keys of an upstream that say where it is, and what chooses among several places.
// The danger it guards against: a session that is kept by one of several, and a client that is sent to another.
import { type Static, Type } from 'typebox'
import { CookieName } from './rolloutSchema.ts'
import { Duration, Text } from './schema.ts'
import type { upstreamTlsSchema } from './upstreamTlsSchema.ts'

const closed = { additionalProperties: false } as const

const url = (description: string) => Text({ title: 'a URL such as http://127.0.0.1:4000', description })

const affinitySchema = Type.Union(
  [
    Type.Enum(['address', 'none'], {
      description: "By the client's address, or not at all: targets keep no sessions.",
    }),
    Type.Object(
      { cookie: CookieName("The name of a cookie of the gateway's own; no upstream ever sees it.") },
      { ...closed, description: 'By a cookie that says which target answered first.' },
    ),
  ],
  {
    title: '{ cookie: NAME }, address or none',
    description:
      'What keeps a client with the target that has its session. When that target is down the client goes to another, and stays there.',
  },
)

export const targetProperties = {
  url: Type.Optional(url('http or https, a host and maybe a port; a path belongs to `move.rewrite`.')),
  targets: Type.Optional(
    Type.Array(url('As `url`.'), {
      minItems: 1,
      maxItems: 256,
      description:
        'Instead of `url`: several that answer alike. A request goes to the one of two, picked at random, at which less is under way; where it cannot be handed to that one, to another. `maxConnections` and `maxPending` are divided among them.',
    }),
  ),
  affinity: Type.Optional(affinitySchema),
  slowStart: Duration({
    default: '0s',
    description:
      'How long a target that has come, or come back, is given less than the others: a tenth of its part at first, more and more up to all of it. Clients that are bound to it come at once.',
  }),
}

const targetSchema = Type.Object(targetProperties)

export type CheckedTargets = Static<typeof targetSchema> & { readonly tls: Static<typeof upstreamTlsSchema> }
