import { licenseTemplate } from './license-template.ts';

/** The notice that Apache-2.0 asks to put on a work: it names the license and has none of its terms. */
export const APACHE_NOTICE = licenseTemplate(
  'Apache-2.0',
  'Apache License 2.0',
  `Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.`,
  true,
);
