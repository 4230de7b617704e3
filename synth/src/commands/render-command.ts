import type { Command } from 'commander';
import { formatOption, lanesDirOption } from '../command.ts';

/** Arguments and options of every command that renders lanes. */
export function withRenderOptions(command: Command, { publishes = false } = {}): Command {
  const options = command
    .argument('[lane...]', 'versions such as v0.1, or paths of lane files')
    .option('--all', 'every lane of the folder')
    .addOption(lanesDirOption())
    .option('--source-commit <commit>', 'commit that the manager boots; default: the checked-out commit')
    .option(
      '--artifact <file>',
      'service record or catalog of the image ({lane} stands for the version), or "branch": the one published last',
    )
    .option('--image-digest <digest>', 'digest of the image (sha256:...), with --env-identity')
    .option('--env-identity <identity>', 'identity of the environment image, with --image-digest')
    .option('--placeholder', 'render without an image; such a lane cannot run')
    .addOption(formatOption());
  // What is published must be what the commit holds.
  return publishes
    ? options
    : options.option('--allow-dirty', 'render although the repository has changes that are not committed');
}

/** The values of these options. */
export interface RenderCommandOptions {
  readonly all?: boolean;
  readonly lanesDir: string;
  readonly sourceCommit?: string;
  readonly artifact?: string;
  readonly imageDigest?: string;
  readonly envIdentity?: string;
  readonly placeholder?: boolean;
  readonly allowDirty?: boolean;
  readonly format: 'text' | 'json' | 'sarif' | 'github';
}
