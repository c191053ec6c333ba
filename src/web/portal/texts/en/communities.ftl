# Communities that a member takes part in, and how they join another one as the same.
communities-title = Your communities
communities-short = Join another one, with everything that is yours here.
communities-lead = These know you, each by the name that you have there. None of them learns of the others.
communities-another = Join another one
communities-another-text = If another community uses mostik, too, you can join it as the same: your notes and your decisions stay together here. Make a code, write it to the helper there, in private, and nothing else. Whoever has the code could join in your place: give it to nobody.
communities-code = Make a code
communities-code-is = Your code
communities-code-until = It works once, until { $time }. It is shown only now.
