# The gateway alone. Mount routes.yaml's folder (not the file: editors and Kubernetes replace it) and keep the state:
#   docker run -v $PWD/config:/etc/banyan:ro -v banyan-state:/var/lib/banyan -p 8080:8080 banyan
# In it, public.host and probes.host stay at their default 0.0.0.0; the admin listener is reached with
# `docker exec … banyan status`.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The optional dependency is a Node; the image has one.
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund

FROM node:24-slim
ENV NODE_ENV=production \
    BANYAN_CONFIG=/etc/banyan/routes.yaml \
    BANYAN_STATE_DIR=/var/lib/banyan
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY bin bin
COPY gateway gateway
RUN ln -s /app/bin/banyan.js /usr/local/bin/banyan \
 && mkdir -p /var/lib/banyan \
 && chown node:node /var/lib/banyan
VOLUME /var/lib/banyan
USER node
EXPOSE 8080 8082
STOPSIGNAL SIGTERM
# Another probes.port in routes.yaml needs another --health-cmd.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8082/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["banyan", "run"]
