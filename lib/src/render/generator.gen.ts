// Made by "npm run generate" from lib/package.json. Do not edit.
/** Name of the package that renders. */
export const GENERATOR_NAME = '@agentrun/lib';
/** Its version; stands in the source record of each rendered lane. */
export const GENERATOR_VERSION = '0.1.0';
