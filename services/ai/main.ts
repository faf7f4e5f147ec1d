// `node services/ai/main.ts --port 4200 --monolith http://127.0.0.1:4000`: the ai service as a process.
import { runCommand } from '../kit/command.ts'
import { startAi } from './ai.ts'

await runCommand({
  service: 'ai',
  defaultPort: 4200,
  own: ['monolith'],
  start: ({ port, host, own }) => startAi({ port, host, ...(own.monolith && { monolith: own.monolith }) }),
})
