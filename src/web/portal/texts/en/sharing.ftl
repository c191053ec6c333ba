sharing-lead = You decide what each clinic may see. Nothing goes anywhere unless you say so here.
