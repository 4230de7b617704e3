import { findSecret, secretAssignment } from '../contract/secret-shapes.ts';
import { homesOfField } from './lane-schema.ts';

/**
 * Whether a value behind a key must not be shown. The names of lane fields say nothing about their values (`key` holds
 * the name of a key); every other name, such as that of a variable, may make its value a secret.
 */
export function isSecretPair(name: string, value: string): boolean {
  return (homesOfField(name).length > 0 ? findSecret(value) : secretAssignment(name, value)) !== undefined;
}
