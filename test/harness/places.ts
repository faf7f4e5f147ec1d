// Where a gateway under test listens: three free ports of loopback. The first lines of its routes.yaml.
export const places = `
public: { host: 127.0.0.1, port: 0 }
probes: { host: 127.0.0.1, port: 0 }
admin: { host: 127.0.0.1, port: 0 }
`

/** The same behind a proxy on this machine, that says who its clients are. */
export const behindProxy = places.replace('public: {', 'public: { trustedProxies: [127.0.0.1],')
