# Prints what zsh completes: FOLDER-OF-FUNCTIONS LINE
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1=; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D; print READY"
zpty -r -m z read '*READY*READY*'
zpty -w -n z "$2"$'\t'
sleep 2
zpty -r -t z read
print -r -- "$read"
