// The keys of what replicas share, as schemas.
// The danger it guards against: a store whose URL, and password, is written into the file because nobody said otherwise.
import { Type } from 'typebox'
import { Text } from './schema.ts'

const forms = 'memory:, redis://HOST:PORT or rediss://USER:PASSWORD@HOST:PORT/DATABASE'

export const storeProperties = {
  store: Type.Object(
    {
      state: Text({
        title: forms,
        default: 'memory:',
        description:
          'What replicas know in common of their moves: memory: (nothing, for one replica), redis:// or rediss:// (TLS). With a password in it, from the environment. The Redis must not evict (maxmemory-policy noeviction).',
      }),
      cache: Text({
        title: forms,
        default: 'memory:',
        description:
          'Where replicas share answers in stock, and tell each other what writes and purges made void: memory: (each has its own, for one replica) or a Redis, another one than that of `state`, with a bound of its own (maxmemory-policy allkeys-lru).',
      }),
    },
    {
      additionalProperties: false,
      default: {},
      description: 'Where replicas share what they know. Takes effect at the start.',
    },
  ),
  replicas: Type.Integer({
    minimum: 1,
    maximum: 1_000,
    default: 1,
    description:
      'How many gateways share the store: an order is confirmed when so many have confirmed it. Takes effect at the start.',
  }),
}
