/** Short, common words: most tokenizers have a token of their own for each with a space in front. */
export const words: readonly string[] =
  `the and of to in is it for on with as at by from that this be are was not or an but all one two three four five
   six ten time day way man world life hand part place case week work fact group number night point home water room
   mother area money story month lot right study book eye job word business issue side kind head house service
   friend father power hour game line end member law car city community name president team minute idea body back
   parent face others level office door health person art war history party result change morning reason research
   girl guy moment air teacher force education good new first last long great little own other old big high small
   large next early young few public same able know think see look want give use find tell ask seem feel try leave`
    .split(/\s+/)
    .filter((word) => word !== '');
