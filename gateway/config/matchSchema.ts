// The keys of a route's `match`: which requests it takes.
// The danger it guards against: a condition that no request can meet, and that is accepted all the same.
import { type Static, Type } from 'typebox'
import { Text } from './schema.ts'

const token = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"
const values = (what: string, keyPattern: string, description: string) =>
  Type.Record(
    Type.String({ pattern: keyPattern }),
    Text({ title: `${what}, or "*" for any`, description: `Exactly ${what}, or "*" for any.` }),
    {
      minProperties: 1,
      description,
    },
  )

export const matchSchema = Type.Object(
  {
    path: Text({
      title: 'a path such as /exact, /prefix/* or /a/:name/b',
      description: '/exact; /prefix/* (also /prefix); :name stands for one segment. The most specific route wins.',
    }),
    methods: Type.Optional(
      Type.Array(
        Type.String({
          title: 'a method in upper case such as GET',
          pattern: '^[A-Z][A-Z-]*$',
          description: 'A method in upper case.',
        }),
        { minItems: 1, uniqueItems: true, description: 'Only these methods; GET does not imply HEAD. Absent: any.' },
      ),
    ),
    host: Type.Optional(
      Type.String({
        title: 'a host name in lower case without port, or "*." and a suffix',
        pattern: '^(\\*\\.)?[a-z0-9_-]+(\\.[a-z0-9_-]+)*$',
        description: 'Only this Host (lower case, no port), or *. and a suffix. Absent: any.',
      }),
    ),
    fields: Type.Optional(
      values('the value of the field', token, 'Only requests with these fields; "*" takes any value.'),
    ),
    query: Type.Optional(
      values('the value of the query key', '^.+$', 'Only requests with these query keys; "*" takes any value.'),
    ),
    cookies: Type.Optional(
      values('the value of the cookie', token, 'Only requests with these cookies; "*" takes any value.'),
    ),
  },
  { additionalProperties: false, description: 'Which requests it takes.' },
)

export type CheckedMatch = Static<typeof matchSchema>
