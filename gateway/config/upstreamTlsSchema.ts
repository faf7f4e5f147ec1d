// The keys of how an https upstream is spoken to.
// The danger it guards against: a path whose folder nobody has said.
import { Type } from 'typebox'
import { Text } from './schema.ts'

const file = (description: string) =>
  Type.Optional(
    Text({ title: 'the path of a file', description: `${description} In PEM; relative to this file's folder.` }),
  )

export const upstreamTlsSchema = Type.Object(
  {
    verify: Type.Boolean({ default: true, description: 'Whether its certificate is verified.' }),
    ca: file("Whose signature is believed, in place of the system's authorities."),
    cert: file('What the gateway proves itself with (mTLS), with those that it was signed by behind it.'),
    key: file('The key of `cert`, without a passphrase.'),
  },
  {
    additionalProperties: false,
    default: {},
    description: 'For an https upstream. Files are read again when they change, for the connections made from then on.',
  },
)
