// The keys of what replicas share, as schemas.
// The danger it guards against: a store whose URL, and password, is written into the file because nobody said otherwise.
import { Type } from 'typebox'
import { Text } from './schema.ts'

export const storeProperties = {
  store: Type.Object(
    {
      state: Text({
        title: 'memory:, redis://HOST:PORT or rediss://USER:PASSWORD@HOST:PORT/DATABASE',
        default: 'memory:',
        description:
          'What replicas know in common of their moves: memory: (nothing, for one replica), redis:// or rediss:// (TLS). With a password in it, from the environment.',
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
