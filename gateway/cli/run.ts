// banyan run: the gateway itself.
import { type Command, configOption, type Given, type World } from './command.ts'
import { configFileOf } from './file.ts'

export const run: Command = {
  name: 'run',
  operands: '',
  count: [0, 0],
  summary: 'Runs the gateway until SIGTERM or SIGINT; then it drains and exits 0. SIGHUP reloads the configuration.',
  options: { config: configOption },
  run: (given: Given, world: World) => world.runGateway(configFileOf(given, world)),
}
