import { templates } from './templates.gen.ts';

/** The scripts that manifests embed, by their path below `templates/`. */
export type TemplateSet = Readonly<Record<keyof typeof templates, string>>;

/** The templates that this version of the library was built with. */
export const builtInTemplates: TemplateSet = templates;
