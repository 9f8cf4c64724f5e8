/** Which classes the samples of a report hold, and what it means where they do not hold all. */
import type { HeldClasses } from '../data/sample-order.ts';
import { count } from './format.ts';

/** `10 of 10 classes` */
export function classesText({ held, inData }: HeldClasses): string {
  return `${count(held)} of ${count(inData)} ${inData === 1 ? 'class' : 'classes'}`;
}

/** Warnings where samples, or the data, do not stand for what the model tells apart. */
export function classNotes({ held, inData, ofModel }: HeldClasses & { readonly ofModel: number }): readonly string[] {
  const notes: string[] = [];
  if (held < inData)
    notes.push(`${count(inData - held)} of the ${count(inData)} classes in the data are missing from the samples: take more with --limit.`);
  if (inData < ofModel) notes.push(`The data hold ${count(inData)} of the ${count(ofModel)} classes that the model tells apart.`);
  return notes;
}
