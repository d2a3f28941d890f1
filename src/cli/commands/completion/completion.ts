import { Argument, type Command } from 'commander';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

interface Word {
  readonly word: string;
  readonly description: string;
}

/** What can be completed: commands, and the options of each. */
export interface Completions {
  readonly commands: readonly Word[];
  /** By command. */
  readonly options: ReadonlyMap<string, readonly Word[]>;
}

/** Adds `weighbridge completion` to the program. */
export function addCompletion(program: Command): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'the shell to complete in').choices(SHELLS))
    .description('print a script that completes commands and options')
    .addHelpText(
      'after',
      `
Examples:
  source <(weighbridge completion bash)                          in ~/.bashrc
  weighbridge completion zsh > "\${fpath[1]}/_weighbridge"
  weighbridge completion fish > ~/.config/fish/completions/weighbridge.fish`,
    )
    .action((shell: Shell) => {
      process.stdout.write(completionScript(shell, completionsOf(program)));
    });
}

/** Returns the commands of the program and their options, without what is hidden. */
export function completionsOf(program: Command): Completions {
  const visible = program.commands.filter(command => command.name() !== 'help');
  return {
    commands: visible.map(command => ({ word: command.name(), description: command.description() })),
    options: new Map(
      visible.map(command => [
        command.name(),
        command.options.flatMap(({ long, description }) => (long ? [{ word: long, description }] : [])),
      ]),
    ),
  };
}

/** Returns the script for a shell. */
export function completionScript(shell: Shell, completions: Completions): string {
  if (shell === 'bash') return bash(completions);
  return shell === 'zsh' ? zsh(completions) : fish(completions);
}

function bash({ commands, options }: Completions): string {
  const cases = [...options].map(
    ([command, words]) => `    ${command}) words="${words.map(({ word }) => word).join(' ')}" ;;`,
  );
  return `_weighbridge() {
  local words current=\${COMP_WORDS[COMP_CWORD]}
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
  esac
  if ((COMP_CWORD == 1)); then words="${commands.map(({ word }) => word).join(' ')}"; fi
  if ((COMP_CWORD > 1)) && [[ $current != -* ]]; then
    COMPREPLY=()
    return
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _weighbridge weighbridge
`;
}

function zsh({ commands, options }: Completions): string {
  const described = (words: readonly Word[]): string =>
    words
      .map(({ word, description }) => `    ${quoted(`${word}:${description.replaceAll(':', '\\:')}`)}`)
      .join('\n');
  const cases = [...options].map(
    ([command, words]) =>
      `    ${command}) choices=(\n${words.map(({ word }) => `      ${quoted(word)}`).join('\n')}\n    ) ;;`,
  );
  return `#compdef weighbridge
_weighbridge() {
  local -a commands choices
  commands=(
${described(commands)}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  case $words[2] in
${cases.join('\n')}
  esac
  if [[ $PREFIX == -* ]]; then compadd -- $choices; else _files; fi
}
compdef _weighbridge weighbridge
`;
}

function fish({ commands, options }: Completions): string {
  const lines = [
    ...commands.map(
      ({ word, description }) =>
        `complete -c weighbridge -n __fish_use_subcommand -f -a ${word} -d ${quoted(description)}`,
    ),
    ...[...options].flatMap(([command, words]) =>
      words.map(
        ({ word, description }) =>
          `complete -c weighbridge -n '__fish_seen_subcommand_from ${command}' -l ${word.slice(2)} -d ${quoted(description)}`,
      ),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

/** For all three shells: a quote inside ends the text, is escaped, and begins it again. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
