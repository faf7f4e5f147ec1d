// The keys of the door for clients.
// The danger it guards against: a default that differs between the code and its documentation.
import { Type } from 'typebox'
import { Duration, ListenHost, Port, Text } from './schema.ts'

const closed = { additionalProperties: false } as const

const tlsSchema = Type.Object(
  {
    certificates: Type.Array(
      Type.Object(
        {
          cert: Text({
            title: 'the path of a file',
            description: "In PEM, with those that it was signed by behind it; relative to this file's folder.",
          }),
          key: Text({ title: 'the path of a file', description: 'Its key, in PEM, without a passphrase.' }),
        },
        { ...closed, description: 'A certificate and its key. Both files are read again when they change.' },
      ),
      {
        minItems: 1,
        description: 'A client gets the first whose names hold the host that it asks for (SNI), or the first of all.',
      },
    ),
  },
  { ...closed, description: 'Clients are spoken to in TLS alone. Without it: not at all.' },
)

export const publicSchema = Type.Object(
  {
    host: ListenHost({ default: '0.0.0.0', description: 'The address that clients reach.' }),
    port: Port({ default: 8080, description: 'Its port; 0 takes a free one.' }),
    trustedProxies: Type.Array(
      Text({ title: 'an address or CIDR block such as 10.0.0.0/8', description: 'An address or CIDR block.' }),
      {
        default: [],
        description:
          'Addresses and CIDR blocks of the proxies in front: their X-Forwarded-* and Forwarded are believed and appended to, those of anybody else are replaced.',
      },
    ),
    proxyProtocol: Type.Optional(
      Type.Enum(['v1', 'v2'], {
        description:
          'The load balancer, one of `trustedProxies`, says first on each connection whose it is (PROXY protocol of HAProxy, text or binary); a connection without that is closed. Default: it does not.',
      }),
    ),
    keepAlive: Duration({
      default: '75s',
      description: "How long an idle client connection stays open; longer than the load balancer's idle time.",
    }),
    drain: Duration({ default: '60s', description: 'How long requests and streams may go on after SIGTERM.' }),
    tls: Type.Optional(tlsSchema),
  },
  { ...closed, default: {}, description: 'The door for clients.' },
)
