// The keys of the listener for operators, as schemas.
// The danger it guards against: a token that stands in the file, and in every copy of it. Only its hash does.
import { Type } from 'typebox'
import type { AdminRole } from '../model.ts'
import { ListenHost, Name, Port, Text } from './schema.ts'

const closed = { additionalProperties: false } as const

/** What an operator may. */
export const adminRoles: readonly AdminRole[] = ['read', 'diff', 'operate', 'keys']

const tokenSchema = Type.Object(
  {
    name: Name({ description: 'Whose it is: the audit names it.' }),
    hash: Type.String({
      title: '"sha256:" and 64 hexadecimal digits, as "banyan admin token NAME" prints it',
      pattern: '^sha256:[0-9a-f]{64}$',
      // A token in its place must not be told to the log.
      writeOnly: true,
      description: 'Of the token, which itself stands nowhere.',
    }),
    roles: Type.Array(
      Type.Enum([...adminRoles], {
        description:
          'read: status, metrics, history, plans, a look at upstreams. diff: what answers differ in, with examples. operate: whatever changes something. keys: the keys of clients.',
      }),
      { minItems: 1, uniqueItems: true, description: 'What it opens; one does not include another.' },
    ),
    expires: Type.Optional(
      Text({
        title: 'a day such as 2027-01-31, or a time in ISO 8601',
        description: 'From then on it is refused; a day begins at midnight UTC. Absent: never.',
      }),
    ),
  },
  {
    ...closed,
    writeOnly: true,
    description: 'By which the admin listener knows who asks: `Authorization: Bearer TOKEN`.',
  },
)

export const adminSchema = Type.Object(
  {
    host: ListenHost({
      default: '127.0.0.1',
      description: 'The address that operators reach; never public by default, and beyond loopback only with tokens.',
    }),
    port: Port({ default: 8081, description: 'Its port; 0 takes a free one.' }),
    tokens: Type.Array(tokenSchema, {
      maxItems: 256,
      writeOnly: true,
      default: [],
      description: 'Without any, whoever reaches it on loopback may do everything. They take effect at once.',
    }),
  },
  { ...closed, default: {}, description: 'Metrics, status, control.' },
)
