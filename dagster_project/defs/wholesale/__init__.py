"""Another team's pipeline: its own assets and frames, sent by `LeadDoneResource`, with the links brought back."""
